/**
 * Which workers are alive, from the engine: each polls one queue, which never has a task, again and again, and the engine lists who
 * polled it and when. This costs neither a history nor a row in the engine's database.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectionLike } from '@temporalio/client'
import { pollersOfPartitions } from './pollers.js'

/** One for all hosts, so that one call tells of all workers. */
const queue = 'outpool-workers'
/** Two polls fail before a worker counts as silent. Milliseconds. */
const pollFor = 10_000
/** After a poll that the engine refused, such as during an outage. Milliseconds. */
const retryAfter = 1_000

/** Lets the engine list this worker until `signal` aborts. `identity` ends in `@` and the id of its host. */
export async function giveSignsOfLife(
  connection: ConnectionLike,
  namespace: string,
  identity: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now()
    // The library never removes its listener from the signal of a call.
    const over = new AbortController()
    const abort = (): void => over.abort()
    signal.addEventListener('abort', abort)
    await connection
      .withDeadline(Date.now() + pollFor, () =>
        connection.withAbortSignal(over.signal, () =>
          connection.workflowService.pollActivityTaskQueue({
            ...{ namespace, identity, taskQueue: { name: queue } },
          }),
        ),
      )
      .catch(() => undefined)
    signal.removeEventListener('abort', abort)
    if (performance.now() - began < retryAfter)
      await delay(retryAfter, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** When each host's worker last gave a sign of life, by the engine's clock: ms since the epoch. The engine forgets after minutes. */
export async function lastSignsOfLife(
  connection: ConnectionLike,
  namespace: string,
): Promise<Map<string, number>> {
  const heard = new Map<string, number>()
  for (const { identity, at } of await pollersOfPartitions(connection, namespace, queue)) {
    const host = identity.slice(identity.indexOf('@') + 1)
    heard.set(host, Math.max(at, heard.get(host) ?? 0))
  }
  return heard
}
