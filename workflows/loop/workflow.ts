/** One run of a task. Its schedule starts it, skips it while the one before still runs, and hands over how that one ended. */
import {
  ApplicationFailure,
  defineSearchAttributeKey,
  SearchAttributeType,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common'
import {
  ActivityFailure,
  ChildWorkflowFailure,
  condition,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow'
import { commonQueue, searchAttributes, sessionWorkflowId, taskSessionName } from '../../policy/ids.js'
import { describeDuration } from '../../policy/service/incident.js'
import { recordAfterRun, failedOutcome, type TaskOutcome, type TaskRecord } from '../../policy/tasks/tasks.js'
import { type LoopStart, sessionSignals, type SessionStart, taskFailed, taskMemo } from '../messages.js'
import { taskRunsOn, taskStepsOn } from '../proxies.js'
import type { session } from '../session/workflow.js'

/** Work on its own waits where a person's session wants the same place: lower numbers go first, and theirs is 0. */
const priority = 10

/** Fails with `TaskFailed` where the task did, so that the engine's own views show it; the schedule goes on all the same. */
export async function loop(run: LoopStart): Promise<TaskRecord> {
  const outcome = await runTask(run)
  const record = recordAfterRun(run, failuresBefore(), outcome, new Date().toISOString())
  upsertMemo({ [taskMemo]: record })
  if (record.attention !== null) upsertSearchAttributes([{ key: attention, value: true }])
  setCurrentDetails(record.attention ?? outcome.summary)
  if (outcome.ok) return record
  throw ApplicationFailure.create({
    ...{ type: taskFailed, message: outcome.error ?? outcome.summary, nonRetryable: true, details: [record] },
  })
}

const attention = defineSearchAttributeKey(searchAttributes.attention, SearchAttributeType.BOOL)

/** Failed runs in a row before this one. A run that ended without a word, terminated by a person, counts for nothing. */
function failuresBefore(): number {
  const { lastFailure } = workflowInfo()
  if (!(lastFailure instanceof ApplicationFailure) || lastFailure.type !== taskFailed) return 0
  const [record] = (lastFailure.details ?? []) as (TaskRecord | undefined)[]
  return record?.failures ?? 0
}

async function runTask(run: LoopStart): Promise<TaskOutcome> {
  const { name, kind, host, session } = run
  const request = [{ task: name }] as [{ task: string }]
  try {
    if (session !== null) return await runByAgent(run, session)
    if (kind === 'imap')
      return await taskStepsOn(host).pollMail.executeWithOptions({ summary: 'look for unread mail' }, request)
    return await taskRunsOn(host).runProgram.executeWithOptions({ summary: `run ${name}` }, request)
  } catch (error) {
    return failedOutcome(failureReason(error))
  }
}

/** A session of its own, which begins a fresh conversation, is rescued like any other, and ends with its work. */
async function runByAgent(
  { name, host }: LoopStart,
  { timeout, ...given }: NonNullable<LoopStart['session']>,
): Promise<TaskOutcome> {
  const steps = taskStepsOn(host)
  const summary = 'copy the prompt for this run'
  const { promptFile, cwd } = await steps.prepareAgentTask.executeWithOptions({ summary }, [{ task: name }])
  const start: SessionStart = {
    ...given,
    ...{
      name: taskSessionName(name),
      sessionId: uuid4(),
      host,
      cwd,
      prompt: { file: promptFile },
      once: true,
    },
    ...{ account: null, pinned: false, priority, continues: false },
  }
  const child = await startChild<typeof session>('session', {
    workflowId: sessionWorkflowId(start.name),
    taskQueue: commonQueue,
    args: [start],
    // Whoever ends this run means the work as a whole: its process must not be left behind.
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `task ${name}`,
  })
  let isOver = false
  const ended = child.result().finally(() => (isOver = true))
  if (!(await condition(() => isOver, timeout))) {
    // One that ends in this very moment takes no signal any more, and needs none.
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

/** For people; what is no failure of the task's is a bug of ours, and thrown on. */
function failureReason(error: unknown): string {
  if (isCancellation(error)) return 'it was called off'
  if (error instanceof WorkflowExecutionAlreadyStartedError)
    return `${error.workflowId} still runs: end it, or answer what it waits for`
  if (!(error instanceof ActivityFailure) && !(error instanceof ChildWorkflowFailure)) throw error
  if (error.cause instanceof TimeoutFailure) return 'its worker ended while it ran'
  return error.cause?.message ?? error.message
}
