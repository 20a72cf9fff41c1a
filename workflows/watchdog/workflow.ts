/** The life of a watchdog: look until something happened, restart after growing pauses, hand over when restarts do not help. */
import { allHandlersFinished, condition, continueAsNew } from '@temporalio/workflow'
import type { ServiceSpec } from '../../policy/service/service.js'
import { attempt } from '../stepFailures.js'
import type { WatchdogCard } from '../messages.js'
import { serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import { act, begin, react } from './react.js'
import { Display } from './display.js'
import { isAtWork, stopEscalation } from './handOver.js'
import { Mailbox } from './handlers.js'
import { mustRenew, now, type Run, show } from './context.js'
import { stand } from './awaitWatch.js'
import { card, isState, newState, type WatchdogState } from './state.js'

/** An escalation that was ended without a word is missed within this. */
const pingEvery = 60 * 60_000

export async function watchdog(input: ServiceSpec | WatchdogState): Promise<WatchdogCard> {
  const state = isState(input) ? input : newState(input, now())
  const steps = serviceStepsOn(state.spec.host)
  const mail = new Mailbox(state, steps)
  const run: Run = { state, mail, steps, watches: serviceWatchesOn(state.spec.host), display: new Display() }
  show(run)
  while (!mail.isRetired()) {
    await takeMail(run)
    if (mustRenew(run)) {
      await condition(allHandlersFinished)
      await continueAsNew<typeof watchdog>(state)
    }
    await live(run)
  }
  await retire(run)
  await condition(allHandlersFinished)
  // It was configured again while it was being retired.
  if (!mail.isRetired()) await continueAsNew<typeof watchdog>(mail.take().spec ?? state.spec)
  return card(state)
}

/** One stretch of its life; returns when something has changed. */
async function live(run: Run): Promise<void> {
  const { state } = run
  const { incident } = state
  if (state.paused) await stand(run, { troubleIsNews: false, incident: null })
  else if (state.isEscalated) await lookOn(run)
  else if (!state.isBegun) await begin(run)
  else if (state.due !== null) await act(run, state.due)
  else await react(run, await stand(run, { troubleIsNews: true, incident }))
}

/** While its escalation is at work the watchdog only looks, so that one party acts on the service. */
async function lookOn(run: Run): Promise<void> {
  await stand(run, { troubleIsNews: false, incident: null }, pingEvery)
  if (run.mail.hasNews() || mustRenew(run) || (await isAtWork(run))) return
  show(run, { isEscalated: false, state: 'running', attention: null })
}

/** The counter is cleared: what comes from here on is another incident. */
const allWell = { incident: null, due: null, restarts: [], attention: null }

/** What people, the worker and the escalation have said meanwhile. */
async function takeMail(run: Run): Promise<void> {
  const { state, mail } = run
  const { spec, paused, ended } = mail.take()
  if (spec !== null) show(run, { spec })
  if (ended !== null && ended.incident === state.incident) {
    const fence = Math.max(state.fence, ended.fence)
    const isOver = ended.outcome !== 'given-up'
    show(run, { fence, isEscalated: false, ...(isOver ? allWell : {}) })
    if (!state.paused) show(run, { state: 'running' })
  }
  if (paused === null || paused === state.paused) return
  if (state.isEscalated) await stopEscalation(run)
  show(run, { paused, isEscalated: false, due: null, attention: null, state: paused ? 'paused' : 'running' })
}

/** What Outpool has started of the service is ended with its watchdog: a service by another name must not run beside it. */
async function retire(run: Run): Promise<void> {
  const { state, steps } = run
  const { name: service } = state.spec
  if (state.isEscalated) await stopEscalation(run)
  const summary = 'no longer configured'
  await attempt(steps.retireService.executeWithOptions({ summary }, [{ service }]))
  if (state.incident === null) return
  const end = { service, incident: state.incident, outcome: 'given-up' as const, says: summary }
  await attempt(steps.closeIncident.executeWithOptions({ summary }, [end]))
}
