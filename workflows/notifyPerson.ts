/**
 * A word to a person about an incident, by the channels that the pool keeps; told once, whoever says it how often. What
 * else of the incident they have to hear of, such as a question, has a name of its own.
 */
import { getExternalWorkflowHandle } from '@temporalio/workflow'
import { poolWorkflowId } from '../policy/ids.js'
import { type Announcement, poolSignals } from './messages.js'

export async function notifyPerson(
  pool: string,
  service: string,
  incident: number,
  text: string,
  what: 'down' | 'asks' = 'down',
): Promise<void> {
  const key = `incident/${service}/${incident}${what === 'down' ? '' : `/${what}`}`
  const announcement: Announcement = {
    ...{ key, kind: 'incident', title: `${service} needs you`, text },
  }
  try {
    await getExternalWorkflowHandle(poolWorkflowId(pool)).signal(poolSignals.announce, announcement)
  } catch {
    // Healing goes on without it: what it would have said is shown by `outpool services` all the same.
  }
}
