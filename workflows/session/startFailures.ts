/** What a failed start means for the next try: whose failure it is, which places are left, and how long to wait. */
import { condition } from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account/account.js'
import { backoff } from '../../policy/backoff.js'
import { failureKinds } from '../../policy/failureKinds.js'
import type { LeaseRequest } from '../../policy/pool/lease.js'
import type { PlaceRef } from '../../policy/session/place.js'
import { later } from '../now.js'
import type { StepFailure } from '../stepFailures.js'
import { type SessionContext, show } from './context.js'
import { emitParked, flushEvents } from './events.js'
import { newRequest } from './lease.js'
import type { MoveFailure } from './move.js'
import type { StartFailures, StartPlan } from './state.js'

/**
 * Failures of the account. `carryFailed` and `pageOpen` concern one account too, but are not its fault: another place may have
 * room for the conversation, and a page is recorded with its account. All other failures are the host's or the session's.
 */
export const accountFailures: readonly StepFailure['kind'][] = [
  failureKinds.launchFailed,
  failureKinds.secretMissing,
  failureKinds.unknownPlace,
]
const { carryFailed, draftUnreadable, pageOpen, programFailed, projectUntrusted } = failureKinds

/** Failures that another account would meet as well: a person has to act, and the start is tried again. */
export const isHostFailure = ({ kind }: MoveFailure): boolean =>
  kind !== carryFailed && kind !== pageOpen && !accountFailures.includes(kind)

/**
 * A start that met a page, that the system refused, or that was never made has cost nothing: it does not count for the breaker,
 * however many accounts there are.
 */
export const costNothing = ({ kind }: MoveFailure): boolean =>
  kind === pageOpen ||
  kind === carryFailed ||
  kind === draftUnreadable ||
  kind === programFailed ||
  kind === projectUntrusted

/** After a failed carry the accounts are as able as they were: no fallback is paid for while one of them may be tried again. */
export function requestAfterFailures(
  ctx: SessionContext,
  plan: StartPlan,
  readings: AccountReading[],
): LeaseRequest {
  const request = newRequest(ctx, plan, readings)
  return plan.failures?.isCarry === true ? { ...request, fallback: [] } : request
}

export function failuresWith(
  { failures }: StartPlan,
  { kind, message }: MoveFailure,
  place: PlaceRef,
): StartFailures {
  return {
    count: (failures?.count ?? 0) + 1,
    attention: `the agent did not start on ${place.name}: ${message}`,
    isCarry: failures?.isCarry === true || (kind === carryFailed && place.kind === 'account'),
  }
}

/** Every account may be tried again, and a fallback may be paid for if none of them is able. */
export function retryAllAccounts(plan: StartPlan): void {
  plan.exclude = []
  if (plan.failures) plan.failures.isCarry = false
}

/** Pauses after a failure that only a person can repair; each pause is longer. False if the failure is not of this kind. */
export async function pauseForPerson(
  ctx: SessionContext,
  failure: MoveFailure,
  failures: number,
): Promise<boolean> {
  const { handlers } = ctx
  if (!isHostFailure(failure)) return false
  const pause = retryPause(ctx, failures)
  const until = later(pause)
  const { plan } = ctx.state
  if (plan !== null) emitParked(ctx.state, plan, { until, why: failure.message, isFailure: true })
  show(ctx, { phase: 'parked', parkedUntil: until, attention: failure.message })
  await flushEvents(ctx.state)
  await condition(() => handlers.hasOrders() || handlers.isHostReady, pause, {
    summary: 'a pause before the next try, since a person has to act',
  })
  return true
}

export function retryPause({ state }: SessionContext, failures: number): number {
  const { retryEvery, retryMaxInterval } = state.timing
  return backoff(failures, { base: retryEvery, cap: retryMaxInterval }, state.name)
}
