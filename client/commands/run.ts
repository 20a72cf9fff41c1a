/** `outpool run TASK` */
import { setTimeout as sleep } from 'node:timers/promises'
import { ScheduleOverlapPolicy, WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import type { TaskRecord } from '../../policy/tasks/tasks.js'
import { taskFailed } from '../../workflows/messages.js'
import { type CommandContext, printNotice, print } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { FailedError } from '../errors.js'
import { checkTask, findTask, recordSchema, scheduleOf } from '../engine/tasks.js'

const pollMs = 200
/** A schedule starts its action in well under a second, and on a busy machine in several. */
const startWithinMs = 30_000
const answerWithinMs = 10_000
/** An agent's work takes hours; a person can end the wait with Ctrl-C. */
const longestWaitMs = 30 * 24 * 3_600_000

export async function run(context: CommandContext): Promise<void> {
  const { name } = checkTask(context.argument(0, 'TASK'), loadConfig({ path: context.config }))
  await withEngine(openHome(), async (engine) => {
    const workflowId = await engine.within(startWithinMs + answerWithinMs, () => triggerRun(engine, name))
    if (context.flag('detach')) {
      print(`${name} runs; see how it ends with: outpool tasks`)
      return
    }
    const { summary, file } = await engine.within(longestWaitMs, () => awaitRun(engine, name, workflowId))
    print(`${name}: ${summary ?? 'done'}${file === null ? '' : `\n${file}`}`)
  })
}

/** Returns the id of the run's workflow: a new one, or the one that is running, since a task never runs twice at a time. */
async function triggerRun(engine: Engine, task: string): Promise<string> {
  const { info } = await findTask(engine, task)
  const current = info.runningActions[0]
  if (current?.type === 'startWorkflow') {
    printNotice(`${task} was already running; waiting for that run`)
    return current.workflow.workflowId
  }
  const before = info.numActionsTaken
  await scheduleOf(engine, task).trigger(ScheduleOverlapPolicy.SKIP)
  const until = Date.now() + startWithinMs
  while (Date.now() < until) {
    const { info: now } = await findTask(engine, task)
    const newest = now.recentActions.at(-1)
    if (now.numActionsTaken > before && newest) return newest.action.workflow.workflowId
    await sleep(pollMs)
  }
  throw new FailedError(
    `the engine has not started the run of ${task}`,
    'check with `outpool tasks` whether it has started since',
  )
}

async function awaitRun(engine: Engine, task: string, workflowId: string): Promise<TaskRecord> {
  try {
    return recordSchema.parse(await engine.client.workflow.getHandle(workflowId).result())
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error
    throw failureOf(error, task)
  }
}

function failureOf(error: WorkflowFailedError, task: string): FailedError {
  const { cause } = error
  const isOurs = cause instanceof ApplicationFailure && cause.type === taskFailed
  const file = isOurs ? (recordSchema.safeParse(cause.details?.[0]).data?.file ?? null) : null
  return new FailedError(
    `${task} failed: ${cause?.message ?? error.message}`,
    file === null ? 'it runs again when it is due' : `its output: ${file}`,
    { cause: error },
  )
}
