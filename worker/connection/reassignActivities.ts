/** What the engine believes to be under way on this host and is not: handed out again now, not after its heartbeats are missed. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import proto from '@temporalio/proto'
import { searchAttributes } from '../../policy/ids.js'
import { isOurs } from './identity.js'
import type { PendingResults, ActivityRef } from './pendingResults.js'

/** Asked in one go: the engine serves others meanwhile. */
const atOnce = 20
/** A step that was handed out a moment ago may still be on its way to us. Milliseconds. */
const arrivalGrace = 1_000

interface StartedActivity extends ActivityRef {
  ours: boolean
}

/**
 * Fails every step that a worker of this host before us has begun (nobody else answers for the host: alone.ts), and with `results`
 * every one that the engine handed to us and that we do not know: its task was lost on the line. In all sessions of the host. Each
 * is idempotent per fence, and the engine hands it out again at once. Answers how many there were.
 */
export async function reassignActivities(
  client: Client,
  hostId: string,
  results: PendingResults | null = null,
): Promise<number> {
  const query = `ExecutionStatus = 'Running' AND ${searchAttributes.host} = '${hostId}'`
  const ids: string[] = []
  for await (const { workflowId } of client.workflow.list({ query, pageSize: 1000 })) ids.push(workflowId)
  const started: StartedActivity[] = []
  await forEachConcurrently(ids, async (workflowId) => {
    started.push(...(await startedActivitiesOf(client, workflowId, hostId)))
  })
  const unknown = (step: StartedActivity): boolean => !step.ours || results?.knows(step) === false
  if (started.some((step) => step.ours && unknown(step))) await delay(arrivalGrace)
  const orphaned = started.filter(unknown)
  let failed = 0
  await forEachConcurrently(orphaned, async (step) => {
    if (await failForRetry(client, step)) failed += 1
  })
  return failed
}

async function forEachConcurrently<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const lane = async (): Promise<void> => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

/** The begun steps of one workflow that are of this host. */
async function startedActivitiesOf(
  client: Client,
  workflowId: string,
  hostId: string,
): Promise<StartedActivity[]> {
  try {
    const { runId, raw } = await client.workflow.getHandle(workflowId).describe()
    return (raw.pendingActivities ?? []).flatMap((pending) => {
      const identity = pending.lastWorkerIdentity ?? ''
      // One that waits for its next try was begun too, and is nobody's now.
      const isBegun = pending.lastStartedTime && pending.state !== scheduled
      if (!isBegun || !identity.endsWith(`@${hostId}`)) return []
      const { activityId, attempt } = pending
      const step = { workflowId, runId, activityId: activityId ?? '', attempt: attempt ?? 1 }
      return [{ ...step, ours: isOurs(identity, hostId) }]
    })
  } catch {
    // It ended or moved on in between; what is left all the same is found by its missing heartbeats.
    return []
  }
}

/** No worker has the step: it waits to be handed out. */
const scheduled = proto.temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED

async function failForRetry(
  client: Client,
  { workflowId, runId, activityId }: StartedActivity,
): Promise<boolean> {
  try {
    await client.activity.fail({ workflowId, runId, activityId }, workerGone())
    return true
  } catch {
    // As above.
    return false
  }
}

const workerGone = (): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'WorkerGone',
    message: 'its worker ended in the middle, or the line to it broke; it is done again',
    nextRetryDelay: '1ms',
  })
