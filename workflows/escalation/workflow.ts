/**
 * The third layer, for one incident: agents on the healer's own places, one after the other, until the service is proven
 * well. When all have failed a person is told, and it goes on trying.
 */
import {
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
} from '@temporalio/workflow'
import { backoff } from '../../policy/backoff.js'
import { watchdogWorkflowId } from '../../policy/ids.js'
import { attempt } from '../stepFailures.js'
import { notifyPerson } from '../notifyPerson.js'
import {
  type EscalationEnd,
  escalationQueries,
  type EscalationResult,
  escalationSignals,
  type EscalationStart,
  watchdogSignals,
} from '../messages.js'
import { launchesOn, serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import { mustRenew, now, type EscalationContext, show, showAttributes } from './context.js'
import { type EscalationState, isState, newState, view } from './state.js'
import { verify, wakeUp } from './wakeUp.js'

/** A wrong answer gets one more try before a person is told. */
const maxFailedChecks = 2

export async function escalation(input: EscalationStart | EscalationState): Promise<EscalationResult> {
  const state = isState(input) ? input : newState(input, now())
  const { host } = state
  const orders = { stop: false, migrate: false }
  const ctx: EscalationContext = {
    ...{
      state,
      orders,
      steps: serviceStepsOn(host),
      watches: serviceWatchesOn(host),
      moves: launchesOn(host),
    },
  }
  setHandler(escalationSignals.stop, () => void (orders.stop = true))
  setHandler(escalationSignals.ping, () => undefined)
  setHandler(escalationSignals.migrate, () => void (orders.migrate = true))
  setHandler(escalationQueries.describe, () => view(state))
  // Whoever cancels it means to call it off: its agent must not be left behind.
  CancellationScope.current().cancelRequested.catch(() => (orders.stop = true))
  return CancellationScope.nonCancellable(() => runUntilEnd(ctx))
}

async function runUntilEnd(ctx: EscalationContext): Promise<EscalationResult> {
  showAttributes(ctx.state)
  for (;;) {
    if (ctx.orders.stop) return end(ctx, 'given-up')
    if (mustRenew(ctx)) await continueAsNew<typeof escalation>(ctx.state)
    const outcome = await tryOnce(ctx)
    if (outcome !== null) return end(ctx, outcome)
  }
}

/** One try, or the wait after the last of a round. Answers how it ended; null to go on. */
async function tryOnce(ctx: EscalationContext): Promise<EscalationEnd['outcome'] | null> {
  const { state, steps } = ctx
  const { service, incident, attempts, tried } = state
  const request = { service, incident, attempt: attempts + 1, tried }
  const { value: plan, failure } = await attempt(
    steps.prepareWakeUp.executeWithOptions({ summary: 'whom to wake, with what' }, [request]),
  )
  if (failure?.type === 'UnknownService') return 'given-up'
  if (plan === null || plan.kind === 'none')
    return notifyAndPause(ctx, plan === null ? failure.message : plan.why)
  const outcome = await wakeUp(ctx, plan)
  switch (outcome.kind) {
    case 'well':
      return 'healed'
    case 'stopped':
      return null
    case 'failed':
      state.tried.push({ place: plan.place, why: outcome.why })
      return null
    case 'wrong':
      state.failedChecks += 1
      return state.failedChecks < maxFailedChecks ? null : notifyAndPause(ctx, outcome.why)
  }
}

/** Nobody could help: a person is told, and the next round comes after a pause that grows, or at once where the service is back. */
async function notifyAndPause(ctx: EscalationContext, why: string): Promise<EscalationEnd['outcome'] | null> {
  const { state, steps, orders } = ctx
  const { service, incident, retryEvery, retryAtMost } = state
  state.rounds += 1
  show(ctx, {
    attention: `${service} is down and nobody could be woken to help: ${why}; see outpool incidents show ${incident}`,
  })
  await notifyPerson(state.pool, service, incident, state.attention ?? why)
  const pause = backoff(state.rounds, { base: retryEvery, cap: retryAtMost }, `${service}#${incident}`)
  const what = `a person was told: ${why}; tried again in ${Math.round(pause / 60_000)} min`
  await steps.noteIncident.executeWithOptions({ summary: 'tell a person' }, [
    { service, incident, layer: 'wake-up', what },
  ])
  const hasRecovered = await recoversWithin(ctx, pause)
  Object.assign(state, { tried: [], wrongs: 0 })
  if (orders.stop) return null
  // A person may have mended what no agent could: a start costs less than another agent.
  return hasRecovered || (await verify(ctx)).kind === 'well' ? 'recovered' : null
}

/** Whether the service came back by itself, or by a person's hand, before the pause was over. */
async function recoversWithin(ctx: EscalationContext, pause: number): Promise<boolean> {
  const { state, watches, orders } = ctx
  const scope = new CancellationScope()
  let hasRecovered = false
  const request = { service: state.service, since: now() }
  const waiting = scope
    .run(() =>
      attempt(
        watches.awaitServiceRecovery.executeWithOptions({ summary: 'look whether it is back' }, [request]),
      ),
    )
    .then(({ failure }) => (hasRecovered = failure === null))
    .catch((error: unknown) => {
      if (!isCancellation(error)) throw error
    })
  await condition(() => hasRecovered || orders.stop, pause)
  scope.cancel()
  await waiting
  return hasRecovered
}

async function end(ctx: EscalationContext, outcome: EscalationEnd['outcome']): Promise<EscalationResult> {
  const { state, steps } = ctx
  const { service, incident, fence, attempts } = state
  let report = ''
  if (outcome !== 'given-up') {
    const description =
      outcome === 'healed' ? 'well again, and checked' : 'well again by itself, or by a person'
    report = await steps.closeIncident.executeWithOptions({ summary: description }, [
      { service, incident, outcome, description },
    ])
  }
  show(ctx, { attention: null })
  const ended: EscalationEnd = { incident, outcome, fence }
  try {
    await getExternalWorkflowHandle(watchdogWorkflowId(service)).signal(
      watchdogSignals.escalationEnded,
      ended,
    )
  } catch {
    // Nobody watches it any more: there is nobody to tell.
  }
  return { ...ended, attempts, report }
}
