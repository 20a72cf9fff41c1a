/** The pollers of a queue, and the engine's clock, both from the engine's list of a queue's pollers. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectionLike } from '@temporalio/client'
import { tsToMs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'

const { DescribeTaskQueueMode, TaskQueueType } = proto.temporal.api.enums.v1

export interface Poller {
  identity: string
  /** When it last polled, by the engine's clock. Milliseconds since the epoch. */
  at: number
}

export type QueueKind = 'activity' | 'workflow'

export async function pollersOf(
  connection: ConnectionLike,
  namespace: string,
  queue: string,
  kind: QueueKind = 'activity',
): Promise<Poller[]> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType:
      kind === 'activity' ? TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY : TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  })
  return pollers.map(toPoller)
}

const toPoller = ({ identity, lastAccessTime }: proto.temporal.api.taskqueue.v1.IPollerInfo): Poller => ({
  ...{ identity: identity ?? '', at: tsToMs(lastAccessTime) },
})

/** As `pollersOf`, of every partition of an activity queue: an engine of several hosts divides a queue, and a poll goes to any part. */
export async function pollersOfPartitions(
  connection: ConnectionLike,
  namespace: string,
  queue: string,
): Promise<Poller[]> {
  const { pollers, versionsInfo } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    apiMode: DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
    taskQueueTypes: [TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY],
    reportPollers: true,
  })
  const ofPartitions = Object.values(versionsInfo).flatMap(({ typesInfo }) =>
    Object.values(typesInfo ?? {}).flatMap((info) => info.pollers ?? []),
  )
  // An engine that does not know the mode answers as to `pollersOf`.
  return [...pollers, ...ofPartitions].map(toPoller)
}

/** A queue without tasks. One for all hosts, since the engine's database keeps a row for each queue that was ever polled. */
const clockQueue = 'outpool-clock'
/** The engine refuses polls with a deadline of less than 2 s. Milliseconds. */
const clockTimeout = 10_000
const pollEvery = 50

/**
 * Milliseconds by which the engine's clock is ahead of ours; exact to half of the time that its answer takes. The engine
 * has no call for its time, but records when a poller polled. Throws if it does not answer.
 */
export async function engineAhead(
  connection: ConnectionLike,
  namespace: string,
  now: () => number = Date.now,
): Promise<number> {
  const identity = randomUUID()
  const over = new AbortController()
  const asked = now()
  const until = Date.now() + clockTimeout
  const poll = connection
    .withDeadline(until, () =>
      connection.withAbortSignal(over.signal, () =>
        connection.workflowService.pollActivityTaskQueue({
          ...{ namespace, identity, taskQueue: { name: clockQueue } },
        }),
      ),
    )
    .then(
      () => undefined,
      () => undefined,
    )
  try {
    return await connection.withDeadline(until, async () => {
      for (;;) {
        const pollers = await pollersOf(connection, namespace, clockQueue)
        const seen = pollers.find((poller) => poller.identity === identity)
        if (seen !== undefined) return seen.at - (asked + now()) / 2
        if (Date.now() > until) throw new Error('the engine does not list its pollers')
        await delay(pollEvery)
      }
    })
  } finally {
    over.abort()
    await poll
  }
}
