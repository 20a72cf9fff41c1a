/** What a killed worker of this host has left in the middle: handed out again now, not after its heartbeats are missed. */
import type { Client } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { searchAttributes } from '../policy/ids.js'

/** One worker at a time watches a host, so that whoever bears its mark and another number has ended. */
export const workerIdentity = (hostId: string): string => `${process.pid}@${hostId}`

/** Asked in one go: the engine serves others meanwhile. */
const atOnce = 20

/**
 * Fails every step that another worker of this host has begun, in all sessions of the host. Each is idempotent per fence,
 * and the engine hands it out again at once. Answers how many there were.
 */
export async function takeOver(client: Client, hostId: string): Promise<number> {
  const query = `ExecutionStatus = 'Running' AND ${searchAttributes.host} = '${hostId}'`
  const ids: string[] = []
  for await (const { workflowId } of client.workflow.list({ query, pageSize: 1000 })) ids.push(workflowId)
  const waiting = ids.values()
  let found = 0
  const work = async (): Promise<void> => {
    for (const workflowId of waiting) {
      const left = await takeOverIn(client, workflowId, hostId)
      found += left
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return found
}

async function takeOverIn(client: Client, workflowId: string, hostId: string): Promise<number> {
  try {
    const { runId, raw } = await client.workflow.getHandle(workflowId).describe()
    const left = (raw.pendingActivities ?? []).filter(({ lastStartedTime, lastWorkerIdentity }) => {
      return lastStartedTime && isAnother(lastWorkerIdentity ?? '', hostId)
    })
    for (const { activityId } of left)
      await client.activity.fail({ workflowId, runId, activityId: activityId ?? '' }, workerGone())
    return left.length
  } catch {
    // It ended or moved on in between; what is left all the same is found by its missing heartbeats.
    return 0
  }
}

const isAnother = (identity: string, hostId: string): boolean =>
  identity.endsWith(`@${hostId}`) && identity !== workerIdentity(hostId)

const workerGone = (): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'WorkerGone',
    message: 'its worker ended in the middle; the next one goes on',
    nextRetryDelay: '1ms',
  })
