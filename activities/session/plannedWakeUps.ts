/** Wake-ups whose process is gone: said by Outpool, once, unless the agent's program says them after all. */
import { Context } from '@temporalio/activity'
import type { AgentAdapter } from '../../agents/agent.js'
import type { QueueWakeUpRequest, LaunchRequest, PlannedWakeUp } from '../contracts.js'
import { lastTranscript } from './conversation.js'
import type { Host } from '../../host/host.js'
import type { Sampler } from '../watch/sampler.js'
import { wakeUpText } from './backgroundTexts.js'
import { saveText, pendingTexts } from './pendingInput.js'
import { StaleFenceError } from '../../host/errors.js'

/** A program that brought a plan back says it within a second or two of its time, or up to a minute and a half before. */
const programGracePeriod = 15_000

/** What the process before this launch had going and had planned; to be asked for once it has ended. */
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

/** Ids and instants only: what is to be said stays here (law 11). */
export const pendingWakeUps = (host: Host, session: string): PlannedWakeUp[] =>
  host.backgroundWork.owed(session).flatMap(({ id, dueAt }) => {
    if (dueAt === null) return []
    return [{ id, at: new Date(Date.parse(dueAt) + programGracePeriod).toISOString() }]
  })

/** Texts are taken in the order of their names: what was planned comes before what is typed. */
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
    // An attempt before this one may have claimed it.
    if (plan === undefined) return pendingTexts(host, session).includes(name) ? name : null
    const adapter = host.adapter(request.agent)
    const transcript = await adapter.findTranscript(host.files(request.place), sessionId)
    const isPlannedAgain = host.backgroundWork
      .reportedState(session, fence)
      .plans.some((one) => one.id === id)
    const isOver = transcript !== null && (await adapter.isPlanOver(transcript, plan, plan.madeAt))
    if (!isPlannedAgain && !isOver) saveText(host, session, name, wakeUpText(plan))
    host.backgroundWork.removePlan(session, id)
    return isPlannedAgain || isOver ? null : name
  })
}
