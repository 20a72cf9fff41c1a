/** The schedule of drills: created, changed or removed at the worker's start, to match the configuration. */
import { type Client, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client'
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import type { DrillStart } from '../../policy/independence/drill.js'
import { commonQueue, drillScheduleId } from '../../policy/ids.js'
import { putSchedule, type ScheduleSpec } from './putSchedule.js'

/** If a pool has several hosts, the schedule is that of the host whose worker started last. */
export async function syncDrill(client: Client, home: Home, config: Config): Promise<void> {
  const { every } = config.drill
  if (every !== null) {
    await putSchedule(client, scheduleOf(home, config, every))
    return
  }
  const handle = client.schedule.getHandle(drillScheduleId(config.pool.name))
  await handle.delete().catch((error: unknown) => {
    if (!(error instanceof ScheduleNotFoundError)) throw error
  })
}

function scheduleOf(home: Home, config: Config, every: number) {
  const { agent, model, timeout } = config.drill
  const { pool, timing } = config
  const start: DrillStart = { pool: pool.name, host: home.hostId, agent, model, timeout, timing }
  const id = drillScheduleId(pool.name)
  return {
    scheduleId: id,
    spec: { intervals: [{ every }] },
    action: {
      ...{ type: 'startWorkflow' as const, workflowType: 'drill', workflowId: id, taskQueue: commonQueue },
      ...{ args: [start], staticSummary: 'a drill: does the healer act when every account is spent?' },
    },
    // A drill that was missed by more than its own duration is skipped.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: timeout, pauseOnFailure: false },
  } satisfies ScheduleSpec
}
