/** Asks the pool for a place. One request at a time; the pool may answer late, twice or after a restart. */
import type { SignalDefinition } from '@temporalio/common'
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account/account.js'
import { isOff } from '../../policy/features.js'
import { poolWorkflowId } from '../../policy/ids.js'
import {
  isVoluntaryMove,
  type PreparedLeaseRequest,
  type LeaseGrant,
  type LeaseDenial,
  type LeaseRelease,
  type LeaseRequest,
  modelsAfter,
} from '../../policy/pool/lease.js'
import { poolSignals } from '../messages.js'
import { now } from '../now.js'
import { mustRenew } from '../renewal.js'
import { show, type SessionContext } from './context.js'
import { type StartPlan, onlyAccount, newPlan, type SessionState } from './state.js'

export type LeaseOutcome =
  | { kind: 'granted'; grant: LeaseGrant }
  | { kind: 'refused'; denial: LeaseDenial }
  /** A person has given an order meanwhile. */
  | { kind: 'order' }

/** The pool answers in well under a second. A request that was lost is sent again after this time. */
const answerTimeout = 30_000

export const newRequest = (
  ctx: SessionContext,
  plan: StartPlan,
  readings: AccountReading[],
): LeaseRequest => ({
  ...buildRequest(ctx, plan),
  readings,
})

function buildRequest({ state }: SessionContext, plan: StartPlan): PreparedLeaseRequest {
  const requestId = plan.sentRequestId ?? nextRequestId(state)
  const onlyPlace = plan.pinned ? plan.prefer : onlyAccount(state)
  return {
    requestId,
    session: state.name,
    host: state.host,
    cwd: state.cwd,
    ...(plan.allowOpenPage === true ? { allowOpenPage: true } : {}),
    agent: state.agent,
    models: modelsAfter(state.models, plan.wall),
    fallback: isOff(state.featuresOff, 'fallbacks') ? [] : state.fallback,
    unfit: state.unfit,
    prefer: onlyPlace ?? plan.prefer,
    pinned: onlyPlace !== null,
    exclude: plan.exclude,
    // Only an agent that runs can stay where it is; one that does not run has to be started somewhere.
    cause: state.pid === null && isVoluntaryMove(plan.cause) ? 'wake' : plan.cause,
    from: state.place?.name ?? null,
    priority: state.priority,
    at: now(),
  }
}

function nextRequestId(state: SessionState): string {
  state.requestCount += 1
  return `${state.name}#${state.requestCount}`
}

/** The request that the host sends if the account is walled. Its number is lower than that of any later request of the session. */
export const prepareRequest = (ctx: SessionContext): PreparedLeaseRequest =>
  buildRequest(ctx, newPlan('wall'))

/** Sends the request and waits for the pool's first answer to it. */
export async function requestLease(ctx: SessionContext, request: LeaseRequest): Promise<LeaseOutcome> {
  ctx.handlers.denial = null
  for (;;) {
    await signalPool(ctx, poolSignals.requestLease, request)
    const answer = await awaitAnswer(ctx, request)
    if (answer) return answer
  }
}

/** The first answer to a request that the host has sent already. Mostly it has come with the host's observation. */
export async function awaitPreparedRequest(
  ctx: SessionContext,
  request: LeaseRequest,
): Promise<LeaseOutcome> {
  return receivedAnswer(ctx, request) ?? (await awaitAnswer(ctx, request)) ?? requestLease(ctx, request)
}

async function awaitAnswer(ctx: SessionContext, request: LeaseRequest): Promise<LeaseOutcome | null> {
  await condition(() => receivedAnswer(ctx, request) !== null, answerTimeout, {
    summary: 'wait for the answer of the pool; then ask again',
  })
  return receivedAnswer(ctx, request)
}

/**
 * Waits for the pool's next word on a request that it has denied for now. If none comes in time, asks again: with `retryRequest`
 * at `retryAt` if it is given, otherwise with the same request, which the pool should have answered by then.
 */
export async function awaitNextAnswer(
  ctx: SessionContext,
  request: LeaseRequest,
  denied: LeaseDenial,
  retryRequest: (() => LeaseRequest) | null = null,
): Promise<LeaseOutcome | { kind: 'renew' }> {
  const { handlers, state } = ctx
  handlers.denial = null
  const grace = retryRequest === null ? 2 * state.timing.retryEvery : 0
  const timeout = Math.max(Date.parse(denied.retryAt) - Date.parse(now()), 0) + grace
  await condition(() => receivedAnswer(ctx, request) !== null || mustRenew(ctx), timeout, {
    summary: `the pool has no place: ${denied.why}`.slice(0, 200),
  })
  const answer = receivedAnswer(ctx, request)
  if (answer) return answer
  if (mustRenew(ctx)) return { kind: 'renew' }
  return requestLease(ctx, retryRequest?.() ?? { ...request, readings: [] })
}

function receivedAnswer({ handlers }: SessionContext, { requestId }: LeaseRequest): LeaseOutcome | null {
  if (handlers.grant?.requestId === requestId) return { kind: 'granted', grant: handlers.grant }
  if (handlers.hasOrders()) return { kind: 'order' }
  if (handlers.denial?.requestId === requestId) return { kind: 'refused', denial: handlers.denial }
  return null
}

/**
 * Tells the pool which lease the session has. Its workflow was ended behind Outpool's back, and until it was back, a workflow that was
 * started in its place may have asked for another.
 */
export async function confirmLease(ctx: SessionContext): Promise<void> {
  const { place, plan, fence, runsModel: model } = ctx.state
  if (place === null || plan !== null || ctx.state.phase === 'stopped') return
  const request = newRequest(ctx, newPlan('wake'), [])
  await signalPool(ctx, poolSignals.confirmLease, { request, account: place.name, model, fence })
}

/** Gives up the lease, and any request of this session that is still on the waitlist. */
export async function releaseLease(
  ctx: SessionContext,
  fence: number,
  failure: string | null,
): Promise<void> {
  const message: LeaseRelease = { session: ctx.state.name, fence, failure }
  await signalPool(ctx, poolSignals.releaseLease, message)
}

/** If the pool does not run, waits for it, and shows what is missing. */
async function signalPool<Args extends unknown[]>(
  ctx: SessionContext,
  signal: SignalDefinition<Args>,
  ...message: Args
): Promise<void> {
  const { state, handlers } = ctx
  for (;;) {
    try {
      await getExternalWorkflowHandle(poolWorkflowId(state.pool)).signal(signal, ...message)
      return
    } catch {
      const attention = `the pool ${state.pool} is not running: start it with outpool up`
      show(ctx, { attention })
      const interrupted = await condition(() => handlers.hasOrders(), state.timing.retryEvery, {
        summary: `wait for the pool ${state.pool}, which does not run`,
      })
      if (state.attention === attention) show(ctx, { attention: null })
      if (interrupted) return
    }
  }
}
