import { readdirSync } from 'node:fs'
import { isStopped } from '../../host/process/processes.js'
import { until } from '../until.js'

/**
 * Stops a process as a debugger would, and returns once each of its threads has stopped. The signal waits for its main thread, which may
 * be writing to a disk; until then the others go on, and may answer what the test wants to see unanswered.
 */
export async function suspend(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await until(
    `every thread of process ${pid} to stop`,
    () => Promise.resolve(readdirSync(`/proc/${pid}/task`)),
    (threads) => threads.every((thread) => isStopped(Number(thread))),
  )
}
