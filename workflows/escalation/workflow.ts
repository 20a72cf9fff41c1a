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
import { tellPerson } from '../notifyPerson.js'
import {
  type EscalationEnd,
  escalationQueries,
  type EscalationResult,
  escalationSignals,
  type EscalationStart,
  watchdogSignals,
} from '../messages.js'
import { movesOn, serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import { mustRenew, now, type Run, show, showAttributes } from './context.js'
import { type EscalationState, isState, newState, view } from './state.js'
import { check, wakeUp } from './wakeUp.js'

/** A wrong answer gets one more try before a person is told. */
const wrongsPerRound = 2

export async function escalation(input: EscalationStart | EscalationState): Promise<EscalationResult> {
  const state = isState(input) ? input : newState(input, now())
  const { host } = state
  const orders = { stop: false, migrate: false }
  const run: Run = {
    ...{ state, orders, steps: serviceStepsOn(host), watches: serviceWatchesOn(host), moves: movesOn(host) },
  }
  setHandler(escalationSignals.stop, () => void (orders.stop = true))
  setHandler(escalationSignals.ping, () => undefined)
  setHandler(escalationSignals.migrate, () => void (orders.migrate = true))
  setHandler(escalationQueries.describe, () => view(state))
  // Whoever cancels it means to call it off: its agent must not be left behind.
  CancellationScope.current().cancelRequested.catch(() => (orders.stop = true))
  return CancellationScope.nonCancellable(() => live(run))
}

async function live(run: Run): Promise<EscalationResult> {
  showAttributes(run.state)
  for (;;) {
    if (run.orders.stop) return end(run, 'given-up')
    if (mustRenew(run)) await continueAsNew<typeof escalation>(run.state)
    const outcome = await round(run)
    if (outcome !== null) return end(run, outcome)
  }
}

/** One try, or the wait after the last of a round. Answers how it ended; null to go on. */
async function round(run: Run): Promise<EscalationEnd['outcome'] | null> {
  const { state, steps } = run
  const { service, incident, attempts, tried } = state
  const request = { service, incident, attempt: attempts + 1, tried }
  const { value: plan, fault } = await attempt(
    steps.prepareWakeUp.executeWithOptions({ summary: 'whom to wake, with what' }, [request]),
  )
  if (fault?.type === 'UnknownService') return 'given-up'
  if (plan === null || plan.kind === 'nobody') return rest(run, plan === null ? fault.message : plan.why)
  const outcome = await wakeUp(run, plan)
  switch (outcome.kind) {
    case 'well':
      return 'healed'
    case 'stopped':
      return null
    case 'failed':
      state.tried.push({ place: plan.place, why: outcome.why })
      return null
    case 'wrong':
      state.wrongs += 1
      return state.wrongs < wrongsPerRound ? null : rest(run, outcome.why)
  }
}

/** Nobody could help: a person is told, and the next round comes after a pause that grows, or at once where the service is back. */
async function rest(run: Run, why: string): Promise<EscalationEnd['outcome'] | null> {
  const { state, steps, orders } = run
  const { service, incident, retryEvery, retryAtMost } = state
  state.rounds += 1
  show(run, {
    attention: `${service} is down and nobody could be woken to help: ${why}; see outpool incidents show ${incident}`,
  })
  await tellPerson(state.pool, service, incident, state.attention ?? why)
  const pause = backoff(state.rounds, { base: retryEvery, cap: retryAtMost }, `${service}#${incident}`)
  const what = `a person was told: ${why}; tried again in ${Math.round(pause / 60_000)} min`
  await steps.noteIncident.executeWithOptions({ summary: 'tell a person' }, [
    { service, incident, layer: 'wake-up', what },
  ])
  const isBack = await backWithin(run, pause)
  Object.assign(state, { tried: [], wrongs: 0 })
  if (orders.stop) return null
  // A person may have mended what no agent could: a start costs less than another agent.
  return isBack || (await check(run)).kind === 'well' ? 'recovered' : null
}

/** Whether the service came back by itself, or by a person's hand, before the pause was over. */
async function backWithin(run: Run, pause: number): Promise<boolean> {
  const { state, watches, orders } = run
  const scope = new CancellationScope()
  let isBack = false
  const request = { service: state.service, since: now() }
  const waiting = scope
    .run(() =>
      attempt(watches.awaitService.executeWithOptions({ summary: 'look whether it is back' }, [request])),
    )
    .then(({ fault }) => (isBack = fault === null))
    .catch((error: unknown) => {
      if (!isCancellation(error)) throw error
    })
  await condition(() => isBack || orders.stop, pause)
  scope.cancel()
  await waiting
  return isBack
}

async function end(run: Run, outcome: EscalationEnd['outcome']): Promise<EscalationResult> {
  const { state, steps } = run
  const { service, incident, fence, attempts } = state
  let report = ''
  if (outcome !== 'given-up') {
    const says = outcome === 'healed' ? 'well again, and checked' : 'well again by itself, or by a person'
    report = await steps.closeIncident.executeWithOptions({ summary: says }, [
      { service, incident, outcome, says },
    ])
  }
  show(run, { attention: null })
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
