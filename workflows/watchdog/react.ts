/** What follows from an observation: a restart after its pause, an escalation, or a notice to a person. */
import { recentEscalations, retainedRestarts, nextWatchdogStep } from '../../policy/service/watchdog.js'
import { attempt } from '../stepFailures.js'
import { notifyPerson } from '../notifyPerson.js'
import type { ServiceObservation, ServiceStartRequest } from '../../activities/services/contracts.js'
import { nextFence } from '../fences.js'
import { now } from '../now.js'
import { mustRenew } from '../renewal.js'
import { escalate } from './escalate.js'
import { type WatchdogContext, show } from './context.js'
import { awaitWatch } from './awaitWatch.js'
import type { WatchdogState } from './state.js'

/** The first start counts neither as a restart nor as an incident. A service that runs already is recognised, not started twice. */
export async function startFirst(ctx: WatchdogContext): Promise<void> {
  const { state } = ctx
  if (state.spec.canStart) await startService(ctx, { incident: null, description: 'first start' })
  show(ctx, { isStarted: true })
}

export async function react(ctx: WatchdogContext, observation: ServiceObservation | null): Promise<void> {
  const { state } = ctx
  if (observation?.kind === 'back')
    show(ctx, { state: 'running', incident: null, due: null, attention: null })
  if (observation?.kind !== 'trouble') return
  const { verdict, why, incident } = observation
  state.restarts = retainedRestarts(state.restarts, state.spec.restarts, now())
  const next = nextWatchdogStep(state.spec, state, why, now())
  const due = next.kind === 'notify' ? { step: 'wait' as const } : { step: next.kind, at: next.at }
  const { attention } = next
  show(ctx, { due, incident, attention, state: attention === null ? 'restarting' : verdict })
  if (attention !== null) await notifyPerson(state.spec.pool, state.spec.name, incident, attention)
}

/** Waits until the step is due, and carries it out unless the service recovers meanwhile. */
export async function actWhenDue(
  ctx: WatchdogContext,
  due: NonNullable<WatchdogState['due']>,
): Promise<void> {
  const { state, handlers } = ctx
  const left = due.step === 'wait' ? undefined : Date.parse(due.at) - Date.parse(now())
  if (left === undefined || left > 0) {
    const observation = await awaitWatch(ctx, { reportTrouble: false, incident: state.incident }, left)
    await react(ctx, observation)
    if (observation !== null || left === undefined || handlers.hasMessages() || mustRenew(ctx)) return
  }
  state.due = null
  if (due.step === 'escalate') {
    state.escalations = [...recentEscalations(state.escalations, now()), now()]
    await escalate(ctx)
    return
  }
  show(ctx, { state: 'restarting' })
  const at = now()
  const description = `restart ${state.restarts.length + 1}`
  if (await startService(ctx, { incident: state.incident, description })) state.restarts.push(at)
  show(ctx, { since: at })
}

/** Does not count against the limit of restarts, which is for those that had to be. A pause stays. */
export async function restartByHand(ctx: WatchdogContext): Promise<void> {
  const { state } = ctx
  const { spec, incident, paused } = state
  if (!spec.canStart) return
  show(ctx, { state: 'restarting', due: null, attention: null })
  const at = now()
  await startService(ctx, { incident, description: 'restart by hand', byHand: true })
  const after = incident === null ? 'running' : 'restarting'
  show(ctx, { since: at, isStarted: true, state: paused ? 'paused' : after })
}

/** Whether the service was started, or had to be started and could not be. */
async function startService(
  ctx: WatchdogContext,
  reason: Pick<ServiceStartRequest, 'incident' | 'description' | 'byHand'>,
): Promise<boolean> {
  const { state, steps } = ctx
  state.fence = nextFence(state.fence)
  const { name: service } = state.spec
  const request: ServiceStartRequest = { service, fence: state.fence, ...reason }
  const { value, failure } = await attempt(
    steps.startService.executeWithOptions({ summary: reason.description }, [request]),
  )
  if (failure !== null) {
    show(ctx, { attention: `${service}: ${failure.message}` })
    return true
  }
  state.pid = value.pid
  return value.started
}
