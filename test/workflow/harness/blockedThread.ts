/**
 * Ends this process if its thread is blocked for minutes. A workflow that runs in the thread of its worker and computes for ever is
 * stopped by nothing else, and would hang the whole run of the tests.
 */
import { Worker } from 'node:worker_threads'

/** Far more than any step of a workflow needs on a busy machine. Milliseconds. */
const usualLimit = 120_000

const watching = `
const { parentPort, workerData: { limit, pause } } = require('node:worker_threads')
const { writeSync } = require('node:fs')
let heard = performance.now()
parentPort.on('message', () => (heard = performance.now()))
setInterval(() => {
  if (performance.now() - heard < limit) return
  writeSync(2, 'ended: its thread has been blocked for ' + limit / 1000 + ' s, as by a workflow that computes for ever\\n')
  process.kill(process.pid, 'SIGKILL')
}, pause)
`

let isWatched = false

/** From now on, until the process ends. */
export function endIfBlocked(limit = usualLimit): void {
  if (isWatched) return
  isWatched = true
  const pause = limit / 10
  const watcher = new Worker(watching, { eval: true, execArgv: [], workerData: { limit, pause } })
  watcher.unref()
  setInterval(() => watcher.postMessage(null), pause).unref()
}
