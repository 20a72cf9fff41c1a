/** The loop's schedules: created, changed and removed to match the configuration, at the worker's start and when the file changes. */
import { type Client, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client'
import { z } from 'zod'
import type { Config, TaskConfig } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { commonQueue, loopScheduleId, taskOfSchedule } from '../../policy/ids.js'
import type { LoopStart } from '../../workflows/messages.js'
import { putSchedule, type ScheduleSpec } from './putSchedule.js'

/**
 * Idempotent. Keeps pauses that a person set. If several hosts configure the same task, the host whose worker started last runs it;
 * schedules of other hosts are never removed.
 */
export async function syncSchedules(client: Client, home: Home, config: Config): Promise<void> {
  for (const task of config.tasks) await putSchedule(client, scheduleOf(home, config, task))
  const wanted = new Set(config.tasks.map(({ name }) => name))
  for await (const { scheduleId } of client.schedule.list()) {
    const task = taskOfSchedule(scheduleId)
    if (task !== null && !wanted.has(task)) await removeOurs(client, home, scheduleId)
  }
}

function scheduleOf(home: Home, config: Config, task: TaskConfig) {
  const { name, every, catchUp } = task
  return {
    scheduleId: loopScheduleId(name),
    spec: { intervals: [{ every }] },
    action: {
      type: 'startWorkflow' as const,
      workflowType: 'loop',
      workflowId: loopScheduleId(name),
      taskQueue: commonQueue,
      args: [runOf(home, config, task)],
      staticSummary: `task ${name} (${task.kind})`,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUp, pauseOnFailure: false },
  } satisfies ScheduleSpec
}

function runOf(home: Home, config: Config, task: TaskConfig): LoopStart {
  const { name, kind, attentionAfter } = task
  const { pool, timing } = config
  const session =
    task.kind === 'agent'
      ? { pool: pool.name, agent: task.agent, model: task.model, timeout: task.timeout, timing }
      : null
  return { name, kind, host: home.hostId, attentionAfter, session }
}

/** The arguments in their envelope. */
const ownRun = z.tuple([z.looseObject({ args: z.tuple([z.looseObject({ host: z.string() })]) })])

async function removeOurs(client: Client, home: Home, scheduleId: string): Promise<void> {
  const handle = client.schedule.getHandle(scheduleId)
  try {
    const { action } = await handle.describe()
    if (ownRun.safeParse(action.args).data?.[0].args[0].host === home.hostId) await handle.delete()
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error
  }
}
