/** Makes a schedule, or changes the one that is there, so that it is as wanted. */
import { type Client, ScheduleAlreadyRunning, type ScheduleOptions } from '@temporalio/client'

export type ScheduleSpec = Required<Pick<ScheduleOptions, 'scheduleId' | 'spec' | 'action' | 'policies'>>

/** Idempotent. A pause by a person stays. */
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
