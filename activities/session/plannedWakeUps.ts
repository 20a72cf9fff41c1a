/** Wake-ups whose process is gone. Outpool prompts the agent once for each, unless the agent program does so itself. */
import { Context } from '@temporalio/activity'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { QueueWakeUpRequest, LaunchRequest, PlannedWakeUp } from '../contracts.js'
import { lastTranscript } from './conversation.js'
import type { Host } from '../../host/host.js'
import type { Sampler } from '../watch/sampler.js'
import { wakeUpText } from './backgroundTexts.js'
import { saveText, pendingTexts } from './pendingInput.js'
import { StaleFenceError } from '../../host/errors.js'

/** A program that restored a plan carries it out from 90 s before to about two seconds after its time. */
const programGracePeriod = 15_000

/** Takes over tasks and plans of the previous launch, once its process has ended. Returns its transcript. */
export async function inheritBackgroundWork(
  host: Host,
  adapter: AgentAdapter,
  { session, fence }: LaunchRequest,
): Promise<string | null> {
  const before = host.records.newest(session)
  if (before === null || before.fence >= fence) return null
  const transcript = await lastTranscript(host, adapter, session, before)
  const leftBehind =
    transcript === null
      ? { tasks: [], over: [], plans: [] }
      : await adapter.readUnfinishedWork(transcript, before.transcriptFrom)
  host.backgroundWork.inherit(session, fence, leftBehind)
  return transcript
}

/** Ids, and instants in the engine's clock: the prompts stay on the host (law 11). */
export const pendingWakeUps = (host: Host, session: string): PlannedWakeUp[] =>
  host.backgroundWork.owed(session).flatMap(({ id, dueAt }) => {
    if (dueAt === null) return []
    const at = new Date(Date.parse(dueAt) + programGracePeriod).toISOString()
    return [{ id, at: host.clock.toEngine(at) }]
  })

/** Texts are delivered in the order of their names: plans come before typed texts. */
const textName = (plan: string): string =>
  `${'0'.repeat(15)}-plan-${plan.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`

export async function queuePlannedWakeUp(
  host: Host,
  sampler: Sampler,
  request: QueueWakeUpRequest,
): Promise<string | null> {
  const { session, fence, sessionId, plan: id } = request
  const isAtRest = await sampler.untilIdle(session, fence, Context.current().cancellationSignal)
  if (!isAtRest) throw new StaleFenceError(session, fence, host.records.newest(session)?.fence ?? fence)
  return host.records.runExclusive(session, async () => {
    const name = textName(id)
    const plan = host.backgroundWork.owed(session).find((one) => one.id === id)
    // An earlier attempt may have saved it.
    if (plan === undefined) return pendingTexts(host, session).includes(name) ? name : null
    const adapter = host.adapter(request.agent)
    const transcript = await adapter.findTranscript(host.readablePlace(request.place), sessionId)
    const isPlannedAgain = host.backgroundWork
      .reportedState(session, fence)
      .plans.some((one) => one.id === id)
    const isOver = transcript !== null && (await adapter.isPlanOver(transcript, plan, plan.madeAt))
    if (!isPlannedAgain && !isOver) saveText(host, session, name, wakeUpText(plan))
    host.backgroundWork.removePlan(session, id)
    return isPlannedAgain || isOver ? null : name
  })
}
