/** Wake-ups whose process is gone: said by Outpool, once, unless the agent's program says them after all. */
import { Context } from '@temporalio/activity'
import type { AgentAdapter } from '../../agents/agent.js'
import { wakeUpText } from '../../policy/session/background.js'
import type { ClaimRequest, LaunchRequest, PlannedWakeUp } from '../contracts.js'
import { lastTranscript } from './conversation.js'
import type { Host } from '../../host/host.js'
import type { Sampler } from '../watch/sampler.js'
import { saveText, textsWaiting } from './pendingInput.js'
import { StaleFenceError } from '../../host/errors.js'

/** A program that brought a plan back says it within a second or two of its time, or up to a minute and a half before. */
const saidWithin = 15_000

/** What the process before this launch had going and had planned; to be asked for once it has ended. */
export async function takeOverWork(
  host: Host,
  adapter: AgentAdapter,
  { session, fence }: LaunchRequest,
): Promise<string | null> {
  const before = host.records.newest(session)
  if (before === null || before.fence >= fence) return null
  const transcript = await lastTranscript(host, adapter, session, before)
  const left =
    transcript === null
      ? { tasks: [], over: [], plans: [] }
      : await adapter.readUnfinishedWork(transcript, before.transcriptFrom)
  host.work.takeOver(session, fence, left)
  return transcript
}

/** Ids and instants only: what is to be said stays here (law 11). */
export const wakeUpsOwed = (host: Host, session: string): PlannedWakeUp[] =>
  host.work.owed(session).flatMap(({ id, dueAt }) => {
    if (dueAt === null) return []
    return [{ id, at: new Date(Date.parse(dueAt) + saidWithin).toISOString() }]
  })

/** Texts are taken in the order of their names: what was planned comes before what is typed. */
const nameOf = (plan: string): string =>
  `${'0'.repeat(15)}-plan-${plan.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`

export async function claimWakeUp(
  host: Host,
  sampler: Sampler,
  request: ClaimRequest,
): Promise<string | null> {
  const { session, fence, sessionId, plan: id } = request
  const isAtRest = await sampler.untilIdle(session, fence, Context.current().cancellationSignal)
  if (!isAtRest) throw new StaleFenceError(session, fence, host.records.newest(session)?.fence ?? fence)
  return host.records.inTurn(session, async () => {
    const name = nameOf(id)
    const plan = host.work.owed(session).find((one) => one.id === id)
    // An attempt before this one may have claimed it.
    if (plan === undefined) return textsWaiting(host, session).includes(name) ? name : null
    const adapter = host.adapter(request.agent)
    const transcript = await adapter.findTranscript(host.files(request.place), sessionId)
    const isBack = host.work.said(session, fence).plans.some((one) => one.id === id)
    const isOver = transcript !== null && (await adapter.isPlanOver(transcript, plan, plan.madeAt))
    if (!isBack && !isOver) saveText(host, session, name, wakeUpText(plan))
    host.work.settle(session, id)
    return isBack || isOver ? null : name
  })
}
