/** Creates a schedule, or updates the existing one. */
import { type Client, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client'

export type ScheduleSpec = Required<Pick<ScheduleOptions, 'scheduleId' | 'spec' | 'action' | 'policies'>>

/** Idempotent. Keeps a pause that a person set. */
export async function putSchedule(client: Client, wanted: ScheduleSpec): Promise<void> {
  try {
    await client.schedule.create(wanted)
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    const { spec, action, policies } = wanted
    const handle = client.schedule.getHandle(wanted.scheduleId)
    await handle.update(({ state }) => ({ spec, action, policies, state }))
  }
}
