/** The life of a watchdog: look until something happened, restart after growing pauses, hand over when restarts do not help. */
import { allHandlersFinished, condition, continueAsNew } from '@temporalio/workflow'
import type { ServiceSpec } from '../../policy/service/service.js'
import { attempt } from '../stepFailures.js'
import type { WatchdogView } from '../messages.js'
import { serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import { actWhenDue, startFirst, react } from './react.js'
import { Display } from './display.js'
import { isEscalationRunning, stopEscalation } from './handOver.js'
import { WatchdogHandlers } from './handlers.js'
import { mustRenew, now, type WatchdogContext, show } from './context.js'
import { awaitWatch } from './awaitWatch.js'
import { view, isState, newState, type WatchdogState } from './state.js'

/** An escalation that was ended without a word is missed within this. */
const pingEvery = 60 * 60_000

export async function watchdog(input: ServiceSpec | WatchdogState): Promise<WatchdogView> {
  const state = isState(input) ? input : newState(input, now())
  const steps = serviceStepsOn(state.spec.host)
  const handlers = new WatchdogHandlers(state, steps)
  const ctx: WatchdogContext = {
    state,
    handlers,
    steps,
    watches: serviceWatchesOn(state.spec.host),
    display: new Display(),
  }
  show(ctx)
  while (!handlers.isRetired()) {
    await applyMessages(ctx)
    if (mustRenew(ctx)) {
      await condition(allHandlersFinished)
      await continueAsNew<typeof watchdog>(state)
    }
    await runStage(ctx)
  }
  await retire(ctx)
  await condition(allHandlersFinished)
  // It was configured again while it was being retired.
  if (!handlers.isRetired()) await continueAsNew<typeof watchdog>(handlers.takeMessages().spec ?? state.spec)
  return view(state)
}

/** One stretch of its life; returns when something has changed. */
async function runStage(ctx: WatchdogContext): Promise<void> {
  const { state } = ctx
  const { incident } = state
  if (state.paused) await awaitWatch(ctx, { reportTrouble: false, incident: null })
  else if (state.isEscalated) await monitorOnly(ctx)
  else if (!state.isStarted) await startFirst(ctx)
  else if (state.due !== null) await actWhenDue(ctx, state.due)
  else await react(ctx, await awaitWatch(ctx, { reportTrouble: true, incident }))
}

/** While its escalation is at work the watchdog only looks, so that one party acts on the service. */
async function monitorOnly(ctx: WatchdogContext): Promise<void> {
  await awaitWatch(ctx, { reportTrouble: false, incident: null }, pingEvery)
  if (ctx.handlers.hasMessages() || mustRenew(ctx) || (await isEscalationRunning(ctx))) return
  show(ctx, { isEscalated: false, state: 'running', attention: null })
}

/** The counter is cleared: what comes from here on is another incident. */
const recoveredState = { incident: null, due: null, restarts: [], attention: null }

/** What people, the worker and the escalation have said meanwhile. */
async function applyMessages(ctx: WatchdogContext): Promise<void> {
  const { state, handlers } = ctx
  const { spec, paused, ended } = handlers.takeMessages()
  if (spec !== null) show(ctx, { spec })
  if (ended !== null && ended.incident === state.incident) {
    const fence = Math.max(state.fence, ended.fence)
    const isOver = ended.outcome !== 'given-up'
    show(ctx, { fence, isEscalated: false, ...(isOver ? recoveredState : {}) })
    if (!state.paused) show(ctx, { state: 'running' })
  }
  if (paused === null || paused === state.paused) return
  if (state.isEscalated) await stopEscalation(ctx)
  show(ctx, { paused, isEscalated: false, due: null, attention: null, state: paused ? 'paused' : 'running' })
}

/** What Outpool has started of the service is ended with its watchdog: a service by another name must not run beside it. */
async function retire(ctx: WatchdogContext): Promise<void> {
  const { state, steps } = ctx
  const { name: service } = state.spec
  if (state.isEscalated) await stopEscalation(ctx)
  const summary = 'no longer configured'
  await attempt(steps.retireService.executeWithOptions({ summary }, [{ service }]))
  if (state.incident === null) return
  const end = { service, incident: state.incident, outcome: 'given-up' as const, description: summary }
  await attempt(steps.closeIncident.executeWithOptions({ summary }, [end]))
}
