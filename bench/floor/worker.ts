/**
 * `worker.ts ADDRESS NAMESPACE COUNT`, forked: runs COUNT floor workflows, prints `ready` when all of them
 * wait, and after `go` the milliseconds at which each was in its second step. With the same settings as the
 * product's own worker.
 */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { activitySlots, cachedWorkflows, workflowSlots } from '../../worker/connection/pollers.js'

const [address = '', namespace = '', countText = '0'] = process.argv.slice(2)
const count = Number(countText)
const startsAtOnce = 25

Runtime.install({ logger: new DefaultLogger('ERROR') })
const native = await NativeConnection.connect({ address })
const connection = await Connection.connect({ address })
const client = new Client({ connection, namespace })
const taskQueue = `floor-${randomUUID()}`

let waiting = 0
let go: () => void = () => undefined
const started = new Promise<void>((resolve) => (go = resolve))
const done: number[] = []
let from = 0
let allWaiting: () => void = () => undefined
const ready = new Promise<void>((resolve) => (allWaiting = resolve))
let allDone: () => void = () => undefined
const finished = new Promise<void>((resolve) => (allDone = resolve))

const worker = await Worker.create({
  ...{ connection: native, namespace, taskQueue },
  workflowsPath: fileURLToPath(new URL('workflow.ts', import.meta.url)),
  activities: {
    waitForStart: () => {
      waiting += 1
      if (waiting === count) allWaiting()
      return started
    },
    nothing: (step: number) => {
      if (step === 2) done.push(performance.now() - from)
      if (done.length === count) allDone()
      return Promise.resolve()
    },
  },
  maxConcurrentActivityTaskExecutions: activitySlots,
  maxCachedWorkflows: cachedWorkflows,
  maxConcurrentWorkflowTaskExecutions: workflowSlots,
})
const running = worker.run()
const start = (index: number) =>
  client.workflow.start('floor', { taskQueue, workflowId: `${taskQueue}/${index}` })
for (let next = 0; next < count; next += startsAtOnce)
  await Promise.all(
    Array.from({ length: Math.min(startsAtOnce, count - next) }, (_, index) => start(next + index)),
  )
await ready
process.send?.('ready')
await new Promise((resolve) => process.once('message', resolve))
from = performance.now()
go()
await finished
process.send?.(done)
worker.shutdown()
await running
await connection.close()
await native.close()
process.disconnect()
