/** The life of a watchdog: watch the service, restart it after growing pauses, and escalate if restarts do not help. */
import { allHandlersFinished, condition, continueAsNew } from '@temporalio/workflow'
import type { ServiceSpec } from '../../policy/service/service.js'
import { attempt } from '../stepFailures.js'
import type { WatchdogView } from '../messages.js'
import { serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import { actWhenDue, startFirst, react, restartByHand } from './react.js'
import { Display } from './display.js'
import { isEscalationRunning, stopEscalation } from './escalate.js'
import { WatchdogHandlers } from './handlers.js'
import { type CarriedOver, initialState, mustRenew } from '../renewal.js'
import { type WatchdogContext, show } from './context.js'
import { awaitWatch } from './awaitWatch.js'
import { view, newState, type WatchdogState } from './state.js'

/** An escalation that was terminated sends no message: the watchdog notices within this time. */
const pingEvery = 60 * 60_000

export async function watchdog(input: ServiceSpec | CarriedOver<WatchdogState>): Promise<WatchdogView> {
  const state = initialState(input, newState)
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
      // One that came during a step would be lost with this run.
      if (handlers.hasMessages()) continue
      await continueAsNew<typeof watchdog>({ state })
    }
    await takeStep(ctx)
  }
  await retire(ctx)
  await condition(allHandlersFinished)
  // It was configured again while it was being retired.
  if (!handlers.isRetired()) await continueAsNew<typeof watchdog>(handlers.takeMessages().spec ?? state.spec)
  return view(state)
}

/** One step of the loop; returns when something has changed. */
async function takeStep(ctx: WatchdogContext): Promise<void> {
  const { state } = ctx
  const { incident } = state
  if (state.paused) await awaitWatch(ctx, { reportTrouble: false, incident: null })
  else if (state.isEscalated) await monitorOnly(ctx)
  else if (!state.isStarted) await startFirst(ctx)
  else if (state.due !== null) await actWhenDue(ctx, state.due)
  else await react(ctx, await awaitWatch(ctx, { reportTrouble: true, incident }))
}

/** While the escalation is at work the watchdog only observes, so that one party alone acts on the service. */
async function monitorOnly(ctx: WatchdogContext): Promise<void> {
  await awaitWatch(ctx, { reportTrouble: false, incident: null }, pingEvery)
  if (ctx.handlers.hasMessages() || mustRenew(ctx) || (await isEscalationRunning(ctx))) return
  show(ctx, { isEscalated: false, state: 'running', attention: null })
}

/** The restarts are forgotten: the next trouble is another incident. */
const recoveredState = { incident: null, due: null, restarts: [], attention: null }

/** Applies the messages of people, of the worker and of the escalation. */
async function applyMessages(ctx: WatchdogContext): Promise<void> {
  const { state, handlers } = ctx
  const { spec, paused, restart, ended } = handlers.takeMessages()
  if (spec !== null) show(ctx, { spec })
  if (ended !== null && ended.incident === state.incident) {
    const fence = Math.max(state.fence, ended.fence)
    const isOver = ended.outcome !== 'given-up'
    show(ctx, { fence, isEscalated: false, ...(isOver ? recoveredState : {}) })
    if (!state.paused) show(ctx, { state: 'running' })
  }
  if (paused !== null && paused !== state.paused) {
    if (state.isEscalated) await stopEscalation(ctx)
    show(ctx, {
      ...{ paused, isEscalated: false, due: null, attention: null },
      state: paused ? 'paused' : 'running',
    })
  }
  // During an escalation the woken agent alone acts on the service.
  if (restart && !state.isEscalated) await restartByHand(ctx)
}

/** Ends what Outpool has started of the service: under another name, the configuration may start the same program again. */
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
