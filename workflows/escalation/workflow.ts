/**
 * The third layer of recovery, for one incident: agents on the healer's own places, one after the other, until the check
 * proves that the service is well. When every place has failed, a person is notified and the escalation keeps trying.
 */
import {
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  workflowInfo,
} from '@temporalio/workflow'
import { backoff } from '../../policy/backoff.js'
import { watchdogWorkflowId } from '../../policy/ids.js'
import { startStep } from '../runningStep.js'
import { attempt } from '../stepFailures.js'
import { recordEvent } from '../recordEvent.js'
import { notifyPerson } from '../notifyPerson.js'
import {
  type EscalationEnd,
  type EscalationResult,
  type EscalationStart,
  watchdogSignals,
} from '../messages.js'
import { launchesOn, serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import { failureKinds } from '../../policy/failureKinds.js'
import type { WakeUpRequest } from '../../activities/services/contracts.js'
import { now } from '../now.js'
import { type CarriedOver, initialState, mustRenew } from '../renewal.js'
import { type EscalationContext, show } from './context.js'
import { Display } from './display.js'
import { EscalationHandlers } from './handlers.js'
import { type EscalationState, newState } from './state.js'
import { verify, wakeUp } from './wakeUp.js'

/** After a failed check one more agent gets a try before a person is notified. */
const maxFailedChecks = 2

export async function escalation(
  input: EscalationStart | CarriedOver<EscalationState>,
): Promise<EscalationResult> {
  const state = initialState(input, newState)
  const { host } = state
  const handlers = new EscalationHandlers(state)
  const ctx: EscalationContext = {
    state,
    handlers,
    display: new Display(),
    steps: serviceStepsOn(host),
    watches: serviceWatchesOn(host),
    launches: launchesOn(host),
  }
  // To cancel the workflow is to stop the escalation: its agent must not be left behind.
  CancellationScope.current().cancelRequested.catch(() => (handlers.isStopped = true))
  return CancellationScope.nonCancellable(() => runUntilEnd(ctx))
}

async function runUntilEnd(ctx: EscalationContext): Promise<EscalationResult> {
  show(ctx)
  for (;;) {
    if (ctx.handlers.isStopped) return end(ctx, 'given-up')
    if (mustRenew(ctx)) await continueAsNew<typeof escalation>({ state: ctx.state })
    const outcome = await tryOnce(ctx)
    if (outcome !== null) return end(ctx, outcome)
  }
}

/** One try, or the pause after the last try of a round. Returns the escalation's outcome, or null to go on. */
async function tryOnce(ctx: EscalationContext): Promise<EscalationEnd['outcome'] | null> {
  const { state, steps } = ctx
  const { service, incident, attempts, tried } = state
  const request: WakeUpRequest = { service, incident, attempt: attempts + 1, tried }
  const { value: plan, failure } = await attempt(
    steps.prepareWakeUp.executeWithOptions({ summary: 'prepare a wake-up' }, [request]),
  )
  if (failure?.kind === failureKinds.unknownService) return 'given-up'
  if (plan === null || plan.kind === 'none')
    return notifyAndPause(ctx, 'no agent could be woken to help', plan === null ? failure.message : plan.why)
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
      return state.failedChecks < maxFailedChecks
        ? null
        : notifyAndPause(ctx, 'the agents that were woken did not repair it', outcome.why)
  }
}

/**
 * No agent has helped: a person is notified, and the next round comes after a growing pause. The pause ends early if the
 * service recovers.
 */
async function notifyAndPause(
  ctx: EscalationContext,
  outcome: string,
  why: string,
): Promise<EscalationEnd['outcome'] | null> {
  const { state, steps, handlers } = ctx
  const { service, incident, retryEvery, retryMaxInterval } = state
  state.rounds += 1
  show(ctx, {
    attention: `${service} is down, and ${outcome}: ${why}; see outpool incidents show ${incident}`,
  })
  await notifyPerson(state.pool, service, incident, state.attention ?? why)
  const pause = backoff(state.rounds, { base: retryEvery, cap: retryMaxInterval }, `${service}#${incident}`)
  const what = `${why}; the next try is in ${Math.round(pause / 60_000)} min`
  await steps.noteIncident.executeWithOptions({ summary: 'record that no agent could help' }, [
    { service, incident, what },
  ])
  const hasRecovered = await recoversWithin(ctx, pause)
  state.tried = []
  state.failedChecks = 0
  if (handlers.isStopped) return null
  // A person may have repaired what no agent could: starting the service costs less than another agent.
  return hasRecovered || (await verify(ctx)).kind === 'well' ? 'recovered' : null
}

/** Whether the service recovered before the pause was over, by itself or because a person acted. */
async function recoversWithin(ctx: EscalationContext, pause: number): Promise<boolean> {
  const { state, watches, handlers } = ctx
  const request = { service: state.service, since: now() }
  const waiting = startStep(() =>
    watches.awaitServiceRecovery.executeWithOptions({ summary: 'wait until the service recovers' }, [
      request,
    ]),
  )
  const hasRecovered = (): boolean => waiting.outcome?.failure === null
  await condition(() => hasRecovered() || handlers.isStopped, pause, {
    summary: 'a pause before the next agent is woken',
  })
  await waiting.end()
  return hasRecovered()
}

async function end(ctx: EscalationContext, outcome: EscalationEnd['outcome']): Promise<EscalationResult> {
  const { state, steps } = ctx
  const { service, incident, fence, attempts } = state
  let report = ''
  if (outcome !== 'given-up') {
    const description =
      outcome === 'healed'
        ? 'the service is well again, and checked'
        : 'the service recovered without an agent'
    report = await steps.closeIncident.executeWithOptions({ summary: description }, [
      { service, incident, outcome, description },
    ])
  }
  await recordEvent(state.host, {
    ...{ id: `${workflowInfo().workflowId}/ended`, at: now(), kind: 'escalation-ended' },
    ...{ service, incident, result: outcome },
  })
  show(ctx, { attention: null })
  const ended: EscalationEnd = { incident, outcome, fence }
  try {
    await getExternalWorkflowHandle(watchdogWorkflowId(service)).signal(
      watchdogSignals.escalationEnded,
      ended,
    )
  } catch {
    // The service is no longer guarded: its watchdog has ended.
  }
  return { ...ended, attempts, report }
}
