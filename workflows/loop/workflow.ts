/** One run of a task. Its schedule starts it, skips it while the run before goes on, and hands over how that run ended. */
import { ApplicationFailure, TimeoutFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  ActivityFailure,
  ChildWorkflowFailure,
  condition,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  upsertMemo,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow'
import { commonQueue, sessionWorkflowId, taskSessionName } from '../../policy/ids.js'
import { describeDuration } from '../../policy/instants.js'
import { recordAfterRun, failedOutcome, type TaskOutcome, type TaskRecord } from '../../policy/tasks/tasks.js'
import { type LoopStart, sessionSignals, type SessionStart, taskFailed, taskMemo } from '../messages.js'
import { showAttention } from '../attributes.js'
import { now } from '../now.js'
import { taskRunsOn, taskStepsOn } from '../proxies.js'
import { recordEvent } from '../recordEvent.js'
import type { EventDraft } from '../../activities/contracts.js'
import type { session } from '../session/workflow.js'

/** Lower numbers get a place first. A person's session has 0, so that it never waits for a task. */
const priority = 10

/** Fails with `TaskFailed` if the task failed, so that the engine's own views show it. The schedule goes on in any case. */
export async function loop(run: LoopStart): Promise<TaskRecord> {
  const outcome = await runTask(run)
  const record = recordAfterRun(run, failuresBefore(), outcome, now())
  upsertMemo({ [taskMemo]: record })
  if (record.attention !== null) showAttention(true)
  setCurrentDetails(record.attention ?? outcome.summary)
  await recordEvent(run.host, eventOf(record, outcome))
  if (outcome.ok) return record
  throw ApplicationFailure.create({
    ...{ type: taskFailed, message: outcome.error ?? outcome.summary, nonRetryable: true, details: [record] },
  })
}

function eventOf({ name: task, failures }: TaskRecord, { ok, error, summary }: TaskOutcome): EventDraft {
  const { workflowId, startTime } = workflowInfo()
  const common = { id: `${workflowId}/ended`, at: now(), task, ms: Date.parse(now()) - startTime.getTime() }
  return ok
    ? { ...common, kind: 'task-run', summary }
    : { ...common, kind: 'task-failed', error: error ?? summary, failures }
}

/** Failed runs in a row before this one. Only runs that ended with TaskFailed count, such as none that was terminated. */
function failuresBefore(): number {
  const { lastFailure } = workflowInfo()
  if (!(lastFailure instanceof ApplicationFailure) || lastFailure.type !== taskFailed) return 0
  const [record] = (lastFailure.details ?? []) as (TaskRecord | undefined)[]
  return record?.failures ?? 0
}

async function runTask(run: LoopStart): Promise<TaskOutcome> {
  const { name, kind, host, session } = run
  const request: [{ task: string }] = [{ task: name }]
  try {
    if (session !== null) return await runByAgent(run, session)
    if (kind === 'imap')
      return await taskStepsOn(host).pollMail.executeWithOptions({ summary: 'poll for unread mail' }, request)
    return await taskRunsOn(host).runProgram.executeWithOptions({ summary: `run ${name}` }, request)
  } catch (error) {
    return failedOutcome(failureReason(error))
  }
}

/** Starts a session for the run. It begins a new conversation, is rescued like any other session, and ends with its work. */
async function runByAgent(
  { name, host }: LoopStart,
  { timeout, ...given }: NonNullable<LoopStart['session']>,
): Promise<TaskOutcome> {
  const steps = taskStepsOn(host)
  const summary = 'copy the prompt for this run'
  const { promptFile, cwd } = await steps.prepareAgentTask.executeWithOptions({ summary }, [{ task: name }])
  const start: SessionStart = {
    ...given,
    name: taskSessionName(name),
    sessionId: uuid4(),
    host,
    cwd,
    prompt: { file: promptFile },
    once: true,
    account: null,
    pinned: false,
    priority,
    continues: false,
  }
  const child = await startChild<typeof session>('session', {
    workflowId: sessionWorkflowId(start.name),
    taskQueue: commonQueue,
    args: [start],
    // Cancelling the run stops the session: its process must not be left behind.
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `task ${name}`,
  })
  let isOver = false
  const ended = child.result().finally(() => (isOver = true))
  if (!(await condition(() => isOver, timeout, { summary: 'the longest time that the agent may take' }))) {
    // A session that has just ended can't be signalled, and needs no signal.
    await child.signal(sessionSignals.stop).catch(() => undefined)
    await ended
    return failedOutcome(`the agent did not end its work within ${describeDuration(timeout)}`)
  }
  const { workDone, agent, transcript } = await ended
  if (workDone !== true) return failedOutcome(`session ${start.name} was stopped before its work was done`)
  return steps.saveAnswer.executeWithOptions({ summary: "keep the agent's answer" }, [
    { task: name, agent, transcript },
  ])
}

/** For a person. Every other error is a bug, and thrown on. */
function failureReason(error: unknown): string {
  if (isCancellation(error)) return 'it was cancelled'
  if (error instanceof WorkflowExecutionAlreadyStartedError)
    return `${error.workflowId} still runs: end it, or answer what it waits for`
  if (!(error instanceof ActivityFailure) && !(error instanceof ChildWorkflowFailure)) throw error
  if (error.cause instanceof TimeoutFailure) return 'its worker ended while it ran'
  return error.cause?.message ?? error.message
}
