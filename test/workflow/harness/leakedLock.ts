/**
 * Once in some hundred virtual hours, the server with virtual time keeps a lock on its clock that belongs to nothing: no activity and no
 * workflow task runs, and its time passes no faster than ours. This ends such a lock.
 */
import { setTimeout as delay } from 'node:timers/promises'
import proto from '@temporalio/proto'
import type { TestWorkflowEnvironment } from '@temporalio/testing'

/** Between two looks at a server whose time does not skip. Milliseconds. */
const lookEvery = 5_000

const { EventType } = proto.temporal.api.enums.v1
const taskInProgress: unknown[] = [
  EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
]

/** Lets virtual time pass, in milliseconds. */
export async function skip(env: TestWorkflowEnvironment, ms: number): Promise<void> {
  const over = new AbortController()
  const watching = unlockIfIdle(env, over.signal)
  try {
    await env.sleep(ms)
  } finally {
    over.abort()
    await watching
  }
}

async function unlockIfIdle(env: TestWorkflowEnvironment, signal: AbortSignal): Promise<void> {
  let before: string | null = null
  for (;;) {
    await delay(lookEvery, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    // The sleep itself reports a server that does not answer.
    const now = await idleState(env).catch(() => null)
    if (now !== null && now === before) await env.connection.testService?.unlockTimeSkipping({})
    before = now
  }
}

/** How far every open workflow has come, if none has anything to do now; otherwise null. */
async function idleState(env: TestWorkflowEnvironment): Promise<string | null> {
  const { workflowService } = env.connection
  const namespace = env.namespace ?? 'default'
  const { executions } = await workflowService.listOpenWorkflowExecutions({
    ...{ namespace, maximumPageSize: 1_000, startTimeFilter: {} },
  })
  const states: string[] = []
  for (const { execution } of executions) {
    if (!execution) continue
    const { pendingActivities } = await workflowService.describeWorkflowExecution({ namespace, execution })
    const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution })
    const events = history?.events ?? []
    const attempts = pendingActivities.map(
      ({ attempt, lastStartedTime: began, lastAttemptCompleteTime: ended }) => ({
        attempt,
        isOver: ended != null && (began == null || inOrder(began, ended)),
      }),
    )
    if (taskInProgress.includes(events.at(-1)?.eventType) || attempts.some(({ isOver }) => !isOver))
      return null
    states.push(`${execution.runId} ${events.length} ${attempts.map(({ attempt }) => attempt).join()}`)
  }
  return states.join('\n')
}

type Instant = proto.google.protobuf.ITimestamp

const seconds = ({ seconds: whole, nanos }: Instant): number => Number(whole ?? 0) + (nanos ?? 0) / 1e9
const inOrder = (one: Instant, other: Instant): boolean => seconds(one) <= seconds(other)
