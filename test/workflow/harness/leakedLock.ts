/**
 * Once in some hundred virtual hours, the server with virtual time keeps a lock on its clock that belongs to nothing: no activity and no
 * workflow task runs, and its time passes no faster than ours. This ends such a lock.
 */
import { setTimeout as delay } from 'node:timers/promises'
import proto from '@temporalio/proto'
import type { TestWorkflowEnvironment } from '@temporalio/testing'

/** Between two snapshots of a server whose time does not skip. Milliseconds. */
const pollEvery = 5_000
/** Nothing in these tests computes for so long: a task that has not moved since then is lost. Milliseconds. */
const lostAfter = 60_000

const { EventType } = proto.temporal.api.enums.v1
const taskInProgress: unknown[] = [
  EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
]

/** Steps that are shorter pass before there is anything to see. Milliseconds. */
const shortest = 500
/** How long one step after the other has to take its whole length in our time. Milliseconds. */
const stuckAfter = 15_000
/** For how long that has been so, by server. */
const slowFor = new WeakMap<TestWorkflowEnvironment, number>()

/** Lets virtual time pass, in milliseconds. */
export async function skip(env: TestWorkflowEnvironment, ms: number): Promise<void> {
  const over = new AbortController()
  const slow = slowFor.get(env) ?? 0
  const watching = Promise.all([
    unlockIfIdle(env, over.signal),
    slow > stuckAfter ? unlockIfNothingRuns(env, over.signal) : null,
  ])
  const began = performance.now()
  try {
    await env.sleep(ms)
  } finally {
    over.abort()
    await watching
  }
  const took = performance.now() - began
  if (ms >= shortest) slowFor.set(env, took < ms ? 0 : slow + took)
}

/** A step that takes seconds gives no time for two snapshots, however many of them follow one another. */
async function unlockIfNothingRuns(env: TestWorkflowEnvironment, signal: AbortSignal): Promise<void> {
  const isOver = (): boolean => signal.aborted
  // A server that skips has done so by then.
  await delay(shortest / 2, undefined, { signal }).catch(() => undefined)
  if (isOver()) return
  const snapshot = await takeSnapshot(env).catch(() => null)
  if (snapshot?.tasks === '' && !isOver()) await env.connection.testService?.unlockTimeSkipping({})
}

async function unlockIfIdle(env: TestWorkflowEnvironment, signal: AbortSignal): Promise<void> {
  let before: Snapshot | null = null
  let inProgress = { tasks: '', since: 0 }
  for (;;) {
    await delay(pollEvery, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    // The sleep itself reports a server that does not answer.
    const snapshot = await takeSnapshot(env).catch(() => null)
    if (snapshot === null) continue
    if (snapshot.tasks !== inProgress.tasks) inProgress = { tasks: snapshot.tasks, since: snapshot.at }
    const isIdle = snapshot.tasks === '' || snapshot.at - inProgress.since > lostAfter
    if (isIdle && before !== null && isAtOurPace(before, snapshot))
      await env.connection.testService?.unlockTimeSkipping({})
    before = snapshot
  }
}

/** What is in progress at the server, and its time, by real time; both in ms. */
interface Snapshot {
  at: number
  virtual: number
  /** The workflow tasks and attempts of activities in progress; empty if there are none. */
  tasks: string
}

/** An agent that is watched is looked at every few seconds of either time, so that only the clock tells whether time skips. */
const isAtOurPace = (before: Snapshot, now: Snapshot): boolean =>
  now.virtual - before.virtual < 2 * (now.at - before.at)

async function takeSnapshot(env: TestWorkflowEnvironment): Promise<Snapshot> {
  const { workflowService } = env.connection
  const namespace = env.namespace ?? 'default'
  const { executions } = await workflowService.listOpenWorkflowExecutions({
    ...{ namespace, maximumPageSize: 1_000, startTimeFilter: {} },
  })
  const tasks: string[] = []
  for (const { execution } of executions) {
    if (!execution) continue
    const { pendingActivities } = await workflowService.describeWorkflowExecution({ namespace, execution })
    const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution })
    const events = history?.events ?? []
    if (taskInProgress.includes(events.at(-1)?.eventType)) tasks.push(`${execution.runId} ${events.length}`)
    for (const {
      activityId,
      attempt,
      lastStartedTime: began,
      lastAttemptCompleteTime: ended,
    } of pendingActivities)
      if (ended == null || (began != null && !inOrder(began, ended)))
        tasks.push(`${execution.runId} ${activityId} ${attempt}`)
  }
  return { at: performance.now(), virtual: await env.currentTimeMs(), tasks: tasks.join('\n') }
}

type Instant = proto.google.protobuf.ITimestamp

const seconds = ({ seconds: whole, nanos }: Instant): number => Number(whole ?? 0) + (nanos ?? 0) / 1e9
const inOrder = (one: Instant, other: Instant): boolean => seconds(one) <= seconds(other)
