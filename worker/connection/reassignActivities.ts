/** Activities that the engine believes to run on this host but do not: retried now, not after their heartbeat timeout. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import proto from '@temporalio/proto'
import { searchAttributes } from '../../policy/ids.js'
import { isOurs } from './identity.js'
import type { PendingResults, ActivityRef } from './pendingResults.js'

/** Calls at a time, so that the engine can serve others meanwhile. */
const atOnce = 20
/** An activity that was dispatched a moment ago may still be on its way to us. Milliseconds. */
const arrivalGrace = 1_000

interface StartedActivity extends ActivityRef {
  ours: boolean
}

/**
 * For all workflows of the host: fails every activity that an earlier worker of this host started (no other worker polls for the host:
 * soleWorker.ts), and with `results` also every activity that the engine dispatched to us but that never arrived. The engine retries
 * them at once, and each is idempotent per fence. Returns how many there were.
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

/** The started activities of one workflow that belong to this host. */
async function startedActivitiesOf(
  client: Client,
  workflowId: string,
  hostId: string,
): Promise<StartedActivity[]> {
  try {
    const { runId, raw } = await client.workflow.getHandle(workflowId).describe()
    return (raw.pendingActivities ?? []).flatMap((pending) => {
      const identity = pending.lastWorkerIdentity ?? ''
      // An activity that waits for a retry has been started too, but no worker has it now.
      const isBegun = pending.lastStartedTime && pending.state !== scheduled
      if (!isBegun || !identity.endsWith(`@${hostId}`)) return []
      const { activityId, attempt } = pending
      const step = { workflowId, runId, activityId: activityId ?? '', attempt: attempt ?? 1 }
      return [{ ...step, ours: isOurs(identity, hostId) }]
    })
  } catch {
    // The workflow ended or went on in between; anything that remains ends by its heartbeat timeout.
    return []
  }
}

/** The activity waits for a worker. */
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
    message: 'its worker ended, or the connection to it broke; the activity is retried',
    nextRetryDelay: '1ms',
  })
