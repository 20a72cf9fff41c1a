/** What follows from what was seen: a restart after its pause, a hand-over, or a word to a person. */
import type { ServiceSight } from '../../activities/services/contracts.js'
import { countedCalls, keptRestarts, nextStep } from '../../policy/service/watchdog.js'
import { attempt } from '../stepFailures.js'
import { tellPerson } from '../notifyPerson.js'
import { escalate } from './handOver.js'
import { mustRenew, now, type Run, show } from './context.js'
import { stand } from './awaitWatch.js'
import type { WatchdogState } from './state.js'

/** The first start is no restart, and no incident. What runs already is recognised, and never doubled. */
export async function begin(run: Run): Promise<void> {
  const { state } = run
  if (state.spec.canStart) await start(run, null, 'first start')
  show(run, { isBegun: true })
}

export async function react(run: Run, seen: ServiceSight | null): Promise<void> {
  const { state } = run
  if (seen?.kind === 'back') show(run, { state: 'running', incident: null, due: null, attention: null })
  if (seen?.kind !== 'trouble') return
  const { verdict, why, incident } = seen
  state.restarts = keptRestarts(state.restarts, state.spec.restarts, now())
  const next = nextStep(state.spec, state, why, now())
  const due = next.kind === 'tell' ? { step: 'wait' as const } : { step: next.kind, at: next.at }
  const { attention } = next
  show(run, { due, incident, attention, state: attention === null ? 'restarting' : verdict })
  if (attention !== null) await tellPerson(state.spec.pool, state.spec.name, incident, attention)
}

/** Waits until the step is due, unless the service comes back by itself, and then takes it. */
export async function act(run: Run, due: NonNullable<WatchdogState['due']>): Promise<void> {
  const { state, mail } = run
  const left = due.step === 'wait' ? undefined : Date.parse(due.at) - Date.parse(now())
  if (left === undefined || left > 0) {
    const seen = await stand(run, { troubleIsNews: false, incident: state.incident }, left)
    await react(run, seen)
    if (seen !== null || left === undefined || mail.hasNews() || mustRenew(run)) return
  }
  state.due = null
  if (due.step === 'escalate') {
    state.calls = [...countedCalls(state.calls, now()), now()]
    await escalate(run)
    return
  }
  show(run, { state: 'restarting' })
  const at = now()
  if (await start(run, state.incident, `restart ${state.restarts.length + 1}`)) state.restarts.push(at)
  show(run, { since: at })
}

/** Whether anything was started, or ought to have been and could not. */
async function start(run: Run, incident: number | null, says: string): Promise<boolean> {
  const { state, steps } = run
  state.fence = Math.max(state.fence + 1, Math.floor(Date.now() / 1000))
  const { name: service } = state.spec
  const request = { service, fence: state.fence, incident, says }
  const { value, fault } = await attempt(steps.startService.executeWithOptions({ summary: says }, [request]))
  if (fault !== null) {
    show(run, { attention: `${service}: ${fault.message}` })
    return true
  }
  state.pid = value.pid
  return value.started
}
