/**
 * Notifies a person of an incident, through the channels of the pool: once for each incident and topic, however often it is
 * called.
 */
import { getExternalWorkflowHandle } from '@temporalio/workflow'
import { poolWorkflowId } from '../policy/ids.js'
import type { Announcement } from '../policy/notices/notice.js'
import { poolSignals } from './messages.js'

export async function notifyPerson(
  pool: string,
  service: string,
  incident: number,
  text: string,
  topic: 'down' | 'question' = 'down',
): Promise<void> {
  const key = `incident/${service}/${incident}${topic === 'down' ? '' : `/${topic}`}`
  const announcement: Announcement = {
    ...{ key, kind: 'incident', title: `${service} needs you`, text },
  }
  try {
    await getExternalWorkflowHandle(poolWorkflowId(pool)).signal(poolSignals.announce, announcement)
  } catch {
    // The pool does not run. Healing goes on without the notice; `outpool services` shows the same sentence.
  }
}
