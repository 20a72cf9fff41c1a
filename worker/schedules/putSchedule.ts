/** Creates a schedule, or updates the existing one. */
import { type Client, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client'
import { type Envelope, readable } from '../../policy/envelope.js'

export interface ScheduleSpec extends Required<Pick<ScheduleOptions, 'scheduleId' | 'spec' | 'policies'>> {
  action: {
    type: 'startWorkflow'
    workflowType: string
    workflowId: string
    taskQueue: string
    args: unknown[]
    staticSummary: string
  }
}

/** Idempotent. Keeps a pause that a person set. */
export async function putSchedule(client: Client, spec: ScheduleSpec): Promise<void> {
  const wanted = { ...spec, action: wrapStart(spec.action) }
  try {
    await client.schedule.create(wanted)
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    const { spec, action, policies } = wanted
    const handle = client.schedule.getHandle(wanted.scheduleId)
    await handle.update(({ state }) => ({ spec, action, policies, state }))
  }
}

/** Temporal's library has no interceptor for updates of schedules, so that their envelopes are made here. */
function wrapStart(action: ScheduleSpec['action']): ScheduleSpec['action'] {
  const { workflowType, workflowId, args, staticSummary } = action
  const wrapped: Envelope = { use: `start ${workflowType}`, to: workflowId, args, scheduled: true }
  return { ...action, args: [wrapped], staticSummary: readable(staticSummary) }
}
