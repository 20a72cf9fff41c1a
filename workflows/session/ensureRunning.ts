/** Starts the session on the first able place, or the next one if that fails, or parks it until one is able (law 10). */
import { condition } from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account/account.js'
import { isVoluntaryMove, type LeaseDenial, type LeaseRequest } from '../../policy/pool/lease.js'
import type { RescueEntry } from '../../policy/session/session.js'
import { returnToPerson } from './adoption.js'
import { mayBeginTurn } from './breaker.js'
import { requestLease, awaitNextAnswer, awaitPreparedRequest, newRequest, releaseLease } from './lease.js'
import { failureKinds } from '../../policy/failureKinds.js'
import { movesOffAttention } from '../../policy/featureTexts.js'
import { later, now } from '../now.js'
import { attempt } from '../stepFailures.js'
import { type SessionContext, show } from './context.js'
import { emitHeld, emitRunning, flushEvents } from './events.js'
import { showMove, moveTo, type MoveFailure, stopAgent } from './move.js'
import {
  accountFailures,
  costNothing,
  failuresWith,
  retryAllAccounts,
  isHostFailure,
  pauseForPerson,
  requestAfterFailures,
  retryPause,
} from './startFailures.js'
import { type StartPlan, openEntry, type SessionOrder, type SessionState } from './state.js'

const { agentBusy, draftUnreadable, pageOpen } = failureKinds

/**
 * Returns when the agent runs, when a planned move found no better place (it then still runs where it was), when a
 * person's order of another kind has to be carried out first, or when the run has to continue as new.
 */
export async function ensureRunning(ctx: SessionContext, readings: AccountReading[]): Promise<void> {
  const { state, handlers } = ctx
  const plan = state.plan
  if (!plan) return
  const wasUp = state.pid !== null
  let entry =
    plan.cause === 'start' || plan.isParked ? null : openEntry(state, { ...plan, cause: plan.cause }, now())
  const { attention } = state
  showMove(ctx, plan)
  if (!(await pauseBeforeStart(ctx, plan, attention))) {
    closeEntry(entry, null, 'interrupted by a person')
    return
  }
  let request = requestAfterFailures(ctx, plan, readings)
  let answer = await (plan.sentRequestId === undefined
    ? requestLease(ctx, request)
    : awaitPreparedRequest(ctx, request))
  delete plan.sentRequestId
  for (;;) {
    if (answer.kind === 'order') {
      const order = handlers.orders[0]
      if (order?.kind !== 'move' && order?.kind !== 'resume') {
        closeEntry(entry, null, 'interrupted by a person')
        return
      }
      handlers.nextOrder()
      applyOrder(plan, order)
      request = newRequest(ctx, plan, [])
      answer = await requestLease(ctx, request)
    } else if (answer.kind === 'refused') {
      if (wasUp && state.pid !== null && isVoluntaryMove(plan.cause)) {
        stayInPlace(ctx, entry, answer.denial)
        return
      }
      if (answer.denial.pages && mayMeetPage(state, plan)) {
        plan.allowOpenPage = true
        request = newRequest(ctx, plan, [])
        answer = await requestLease(ctx, request)
        continue
      }
      const { failures } = plan
      if (failures !== undefined && (await returnToPerson(ctx, failures.attention))) return
      emitHeld(state, plan, answer.denial)
      if (!plan.isParked) await parkSession(ctx, plan, entry, answer.denial)
      // The accounts may take the session as soon as the host can carry its conversation, long before one of them resets.
      const isRetried = failures?.isCarry === true
      const denial = isRetried ? retriedWithin(answer.denial, retryPause(ctx, failures.count)) : answer.denial
      const retryRequest = (): LeaseRequest => {
        retryAllAccounts(plan)
        return (request = newRequest(ctx, plan, []))
      }
      show(ctx, {
        phase: denial.needsLogin || denial.pages ? 'waiting' : 'parked',
        parkedUntil: denial.retryAt,
        attention:
          loginAttention(denial) ??
          pageAttention(denial) ??
          failures?.attention ??
          plan.heldBy ??
          stayAttention(state) ??
          null,
        why: denial.why,
      })
      await flushEvents(ctx.state)
      const next = await awaitNextAnswer(ctx, request, denial, isRetried ? retryRequest : null)
      if (next.kind === 'renew') return
      answer = next
    } else {
      if (plan.isParked || (entry?.endedAt ?? null) !== null) {
        entry = openEntry(state, { cause: 'wake', wall: null }, now())
        plan.isParked = false
      }
      const { grant } = answer
      handlers.grant = null
      handlers.isHostReady = false
      const { countedTurns } = state
      if (!mayRelaunch(ctx, plan)) {
        await releaseLease(ctx, grant.fence, null)
        closeEntry(entry, null, 'parked by the breaker')
        return
      }
      showMove(ctx, plan)
      const steps = entry?.steps ?? []
      const failure = await moveTo(ctx, plan, grant, steps)
      if (failure === null) {
        finishMove(ctx, plan, entry, grant.why)
        return
      }
      if (failure.kind === agentBusy) {
        await releaseLease(ctx, grant.fence, null)
        delete state.isAdoptionReady
        closeEntry(entry, null, failure.message)
        return
      }
      if (costNothing(failure)) state.countedTurns = countedTurns
      const { name } = grant.place
      if (failure.kind === draftUnreadable && isVoluntaryMove(plan.cause)) {
        await releaseLease(ctx, grant.fence, null)
        stayWithDraft(ctx, entry, failure)
        return
      }
      plan.failures = failuresWith(plan, failure, grant.place)
      steps.push({ name: `on ${name}`, ms: 0, fault: failure.message })
      await releaseLease(ctx, grant.fence, accountFailures.includes(failure.kind) ? failure.message : null)
      if (isHostFailure(failure) && (await returnToPerson(ctx, failure.message))) return
      if (await pauseForPerson(ctx, failure, plan.failures.count)) plan.exclude = []
      else if (failure.kind !== pageOpen) plan.exclude = [...plan.exclude, name]
      request = requestAfterFailures(ctx, plan, failure.readings)
      answer = handlers.hasOrders() ? { kind: 'order' } : await requestLease(ctx, request)
    }
  }
}

/** Whether a page may open for the person: the session has done no work yet, and leaves no agent that runs elsewhere. */
const mayMeetPage = ({ place, adoption }: SessionState, { cause, allowOpenPage }: StartPlan): boolean =>
  cause === 'start' && place === null && adoption === undefined && allowOpenPage !== true

/** Each start counts for the breaker, except the first one and those that a person asked for. */
const mayRelaunch = (ctx: SessionContext, { cause, turn }: StartPlan): boolean =>
  cause === 'start' || cause === 'move' || mayBeginTurn(ctx, turn === 'idle' ? 'relaunch' : 'continuation')

/** The pause after a crash, in which `attention` is shown. False if a person's order ended it. */
async function pauseBeforeStart(
  ctx: SessionContext,
  plan: StartPlan,
  attention: string | null,
): Promise<boolean> {
  const left = Date.parse(plan.notBefore ?? now()) - Date.parse(now())
  if (left <= 0) return true
  show(ctx, { phase: 'parked', parkedUntil: plan.notBefore, attention })
  await flushEvents(ctx.state)
  const interrupted = await condition(() => ctx.handlers.hasOrders(), left, {
    summary: `a pause before it starts again${plan.why === null ? '' : `: ${plan.why}`}`.slice(0, 200),
  })
  plan.notBefore = null
  return !interrupted
}

function finishMove(ctx: SessionContext, plan: StartPlan, entry: RescueEntry | null, why: string): void {
  const { state } = ctx
  closeEntry(entry, state.place?.name ?? null, why)
  emitRunning(state, plan, entry, why)
  delete state.isAttentionUntilAnswer
  show(ctx, { phase: 'working', plan: null, parkedUntil: null, walledUntil: null, attention: null })
}

/** The agent runs on where it is, with its draft, until the move is tried again. */
function stayWithDraft(ctx: SessionContext, entry: RescueEntry | null, { message }: MoveFailure): void {
  stayInPlace(ctx, entry, { why: message, retryAt: later(ctx.state.timing.probeEvery) })
  show(ctx, { attention: message, isAttentionUntilAnswer: true })
}

/** The agent runs on where it is, until `retryAt` of the denial. */
function stayInPlace(
  ctx: SessionContext,
  entry: RescueEntry | null,
  denial: Pick<LeaseDenial, 'why' | 'retryAt'>,
): void {
  const { state } = ctx
  if (entry?.cause === 'near-limit' || entry?.cause === 'home' || state.plan?.isVoluntary === true)
    state.rescueLog = state.rescueLog.filter((other) => other !== entry)
  else closeEntry(entry, entry?.from ?? null, `stayed: ${denial.why}`)
  show(ctx, { phase: 'working', plan: null, stayUntil: denial.retryAt, parkedUntil: null })
}

async function parkSession(
  ctx: SessionContext,
  plan: StartPlan,
  entry: RescueEntry | null,
  denial: LeaseDenial,
): Promise<void> {
  // A lost login is no reason to stop the agent: the person may log in in this very pane.
  if (ctx.state.pid !== null && !denial.needsLogin) {
    // Of a hanging program no draft can be read, and it has to be ended all the same.
    const keepsDraft = plan.cause !== 'crash'
    const stopped = await attempt(stopAgent(ctx, `parked: ${denial.why}`, { endsMove: true, keepsDraft }))
    if (stopped.value !== null) {
      if (stopped.value.turn !== 'idle') plan.turn = stopped.value.turn
      entry?.steps.push(...stopped.value.steps)
      // The agent is left as it is, with the draft that could not be read.
    } else plan.heldBy = stopped.failure.message
  }
  plan.exclude = []
  plan.isParked = true
  closeEntry(entry, null, `parked: ${denial.why}`)
}

function applyOrder(plan: StartPlan, order: SessionOrder): void {
  retryAllAccounts(plan)
  if (order.kind !== 'move') return
  plan.prefer = order.args.to
  plan.pinned = order.args.to !== null
}

function closeEntry(entry: RescueEntry | null, to: string | null, result: string): void {
  if (!entry || entry.endedAt !== null) return
  entry.to = to
  entry.endedAt = now()
  entry.result = result
}

function retriedWithin(denial: LeaseDenial, pause: number): LeaseDenial {
  const retryAt = new Date(Math.min(Date.parse(denial.retryAt), Date.parse(now()) + pause)).toISOString()
  return { ...denial, retryAt }
}

function loginAttention({ needsLogin, why }: LeaseDenial): string | null {
  return needsLogin ? `log in again, no account can take this session: ${why}` : null
}

/** If the session waits for its account only because it can't be moved away. */
function stayAttention({ name, agent, pinned, featuresOff, home }: SessionState): string | null {
  if (pinned || home === null) return null
  return movesOffAttention(featuresOff, { session: name, agent, account: home.name })
}

function pageAttention({ pages }: LeaseDenial): string | null {
  return pages ? `no account can take this session unattended: ${pages}` : null
}
