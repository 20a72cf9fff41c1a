/** The loop's tasks: their schedules, and the results of their newest runs. */
import {
  type ScheduleDescription,
  ScheduleNotFoundError,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
} from '@temporalio/client'
import { z } from 'zod'
import type { Config, TaskConfig } from '../../config/config.js'
import { formatDuration } from '../../config/schema/units.js'
import { nearest } from '../../config/validate/nearest.js'
import { loopScheduleId } from '../../policy/ids.js'
import { taskKinds, type TaskRecord, type TaskView } from '../../policy/tasks/tasks.js'
import { taskMemo } from '../../workflows/messages.js'
import type { Engine } from './engine.js'
import { FailedError, UsageError } from '../errors.js'

export const recordSchema: z.ZodType<TaskRecord> = z.object({
  name: z.string(),
  kind: z.enum(taskKinds),
  host: z.string(),
  lastResult: z.object({ ok: z.boolean(), at: z.string(), error: z.string().nullable() }).nullable(),
  failures: z.number(),
  summary: z.string().nullable(),
  file: z.string().nullable(),
  attention: z.string().nullable(),
})

/** Throws UsageError for a task that the configuration does not name. */
export function checkTask(name: string, config: Config): TaskConfig {
  const task = config.tasks.find((one) => one.name === name)
  if (task) return task
  const known = config.tasks.map((one) => one.name)
  const all = known.length === 0 ? 'outpool.yaml has no tasks' : `tasks: ${known.join(', ')}`
  const meant = nearest(name, known)
  throw new UsageError(`there is no task ${name}`, meant === null ? all : `did you mean ${meant}? ${all}`)
}

export const scheduleOf = (engine: Engine, task: string) =>
  engine.client.schedule.getHandle(loopScheduleId(task))

/** Null if no worker has set it up yet. */
async function describeTask(engine: Engine, task: string): Promise<ScheduleDescription | null> {
  try {
    return await scheduleOf(engine, task).describe()
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null
    throw error
  }
}

/** As describeTask. Throws FailedError if it is not set up. */
export async function findTask(engine: Engine, task: string): Promise<ScheduleDescription> {
  const found = await describeTask(engine, task)
  if (found) return found
  throw new FailedError(
    `the task ${task} is not set up in the engine`,
    'start a worker, which sets it up: outpool up',
  )
}

export async function readTaskView(engine: Engine, task: TaskConfig): Promise<TaskView> {
  const { name, kind } = task
  const base = { name, kind, every: formatDuration(task.every) }
  const schedule = await describeTask(engine, name)
  if (schedule === null)
    return {
      ...{ ...base, lastRunAt: null, lastResult: null, failures: 0, nextRunAt: null },
      ...{ running: false, paused: false, attention: null },
    }
  const { paused } = schedule.state
  const [next] = schedule.info.nextActionTimes
  const { startedAt, running, record } = await newestRun(engine, schedule)
  return {
    ...base,
    lastRunAt: startedAt,
    lastResult: record?.lastResult ?? null,
    failures: record?.failures ?? 0,
    nextRunAt: paused || next === undefined ? null : next.toISOString(),
    ...{ running, paused, attention: record?.attention ?? null },
  }
}

interface NewestRun {
  startedAt: string | null
  running: boolean
  /** Of the newest run that has ended. */
  record: TaskRecord | null
}

/** The schedule lists its ten newest runs; those that the engine has deleted since are skipped. */
async function newestRun(engine: Engine, { info }: ScheduleDescription): Promise<NewestRun> {
  const newest: NewestRun = { startedAt: null, running: false, record: null }
  for (const { action } of [...info.recentActions].reverse()) {
    const run = await describeRun(engine, action.workflow.workflowId)
    if (run === null) continue
    newest.startedAt ??= run.startTime.toISOString()
    if (run.status.name === 'RUNNING') newest.running = true
    else {
      newest.record = recordSchema.safeParse(run.memo?.[taskMemo]).data ?? null
      return newest
    }
  }
  return newest
}

async function describeRun(engine: Engine, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await engine.client.workflow.getHandle(workflowId).describe()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw error
  }
}
