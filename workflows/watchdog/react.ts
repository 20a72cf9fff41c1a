/** What follows from what was seen: a restart after its pause, a hand-over, or a word to a person. */
import type { ServiceObservation } from '../../activities/services/contracts.js'
import { recentEscalations, retainedRestarts, nextWatchdogStep } from '../../policy/service/watchdog.js'
import { attempt } from '../stepFailures.js'
import { notifyPerson } from '../notifyPerson.js'
import { escalate } from './handOver.js'
import { mustRenew, now, type WatchdogContext, show } from './context.js'
import { awaitWatch } from './awaitWatch.js'
import type { WatchdogState } from './state.js'

/** The first start is no restart, and no incident. What runs already is recognised, and never doubled. */
export async function startFirst(ctx: WatchdogContext): Promise<void> {
  const { state } = ctx
  if (state.spec.canStart) await startService(ctx, null, 'first start')
  show(ctx, { isStarted: true })
}

export async function react(ctx: WatchdogContext, sighted: ServiceObservation | null): Promise<void> {
  const { state } = ctx
  if (sighted?.kind === 'back') show(ctx, { state: 'running', incident: null, due: null, attention: null })
  if (sighted?.kind !== 'trouble') return
  const { verdict, why, incident } = sighted
  state.restarts = retainedRestarts(state.restarts, state.spec.restarts, now())
  const next = nextWatchdogStep(state.spec, state, why, now())
  const due = next.kind === 'notify' ? { step: 'wait' as const } : { step: next.kind, at: next.at }
  const { attention } = next
  show(ctx, { due, incident, attention, state: attention === null ? 'restarting' : verdict })
  if (attention !== null) await notifyPerson(state.spec.pool, state.spec.name, incident, attention)
}

/** Waits until the step is due, unless the service comes back by itself, and then takes it. */
export async function actWhenDue(
  ctx: WatchdogContext,
  due: NonNullable<WatchdogState['due']>,
): Promise<void> {
  const { state, handlers } = ctx
  const left = due.step === 'wait' ? undefined : Date.parse(due.at) - Date.parse(now())
  if (left === undefined || left > 0) {
    const sighted = await awaitWatch(ctx, { reportTrouble: false, incident: state.incident }, left)
    await react(ctx, sighted)
    if (sighted !== null || left === undefined || handlers.hasMessages() || mustRenew(ctx)) return
  }
  state.due = null
  if (due.step === 'escalate') {
    state.escalations = [...recentEscalations(state.escalations, now()), now()]
    await escalate(ctx)
    return
  }
  show(ctx, { state: 'restarting' })
  const at = now()
  if (await startService(ctx, state.incident, `restart ${state.restarts.length + 1}`)) state.restarts.push(at)
  show(ctx, { since: at })
}

/** Whether anything was started, or ought to have been and could not. */
async function startService(
  ctx: WatchdogContext,
  incident: number | null,
  description: string,
): Promise<boolean> {
  const { state, steps } = ctx
  state.fence = Math.max(state.fence + 1, Math.floor(Date.now() / 1000))
  const { name: service } = state.spec
  const request = { service, fence: state.fence, incident, description }
  const { value, failure } = await attempt(
    steps.startService.executeWithOptions({ summary: description }, [request]),
  )
  if (failure !== null) {
    show(ctx, { attention: `${service}: ${failure.message}` })
    return true
  }
  state.pid = value.pid
  return value.started
}
