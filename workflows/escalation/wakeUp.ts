/** One woken agent: launched on a place of the healer's, watched until it is done, ended, and its work checked. */
import {
  ActivityFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  uuid4,
} from '@temporalio/workflow'
import { wakeUpSession } from '../../policy/ids.js'
import type { SessionRef } from '../../activities/contracts.js'
import type { WakeUpPlan, WakeUpSight } from '../../activities/services/contracts.js'
import { attempt, faultOf } from '../stepFailures.js'
import { patches } from '../patches.js'
import { tellPerson } from '../notifyPerson.js'
import { later, now, type Run, show } from './context.js'

/** `well`: the check agreed. `wrong`: it did not. `failed`: the place is to blame, not the agent's work. */
export type Outcome = { kind: 'well' } | { kind: 'wrong' | 'failed'; why: string } | { kind: 'stopped' }

export async function wakeUp(run: Run, plan: Extract<WakeUpPlan, { kind: 'ready' }>): Promise<Outcome> {
  const { state, steps, moves } = run
  const { service, incident } = state
  const { place, agent, cwd, model } = plan
  state.attempts += 1
  state.fence = Math.max(state.fence + 1, Math.floor(Date.now() / 1000))
  const ref = { session: wakeUpSession(incident), sessionId: uuid4(), fence: state.fence, agent, cwd, place }
  show(run, { place, attention: null })
  const until = later(plan.timeout)
  const prompt = { text: { file: plan.promptFile }, otherwise: null }
  const status = `outpool: woken for incident ${incident} of ${service}`
  const summary = `wake an agent on ${place.name}`
  const launched = await attempt(
    moves.launchAgent.executeWithOptions({ summary }, [{ ...ref, model, mode: 'new', prompt, status }]),
  )
  const seen: WakeUpSight =
    launched.fault === null
      ? await untilDone(run, ref, model, until)
      : { kind: 'failed', why: `it did not come up: ${launched.fault.message}` }
  const says = run.orders.stop ? 'called off' : saying(seen)
  await steps.endWakeUp.executeWithOptions({ summary: `end the agent: ${says}`.slice(0, 200) }, [
    { ...ref, service, incident, says, transcriptFrom: 0 },
  ])
  show(run, { place: null, attention: null })
  if (run.orders.stop) return { kind: 'stopped' }
  if (seen.kind === 'failed') return { kind: 'failed', why: seen.why }
  return check(run)
}

/** Words are not believed: the service's own signs of life have to be newer than now. What is in trouble is started anew first. */
export async function check(run: Run): Promise<Outcome> {
  const { state, watches } = run
  const { service, incident } = state
  state.fence = Math.max(state.fence + 1, Math.floor(Date.now() / 1000))
  const request = { service, incident, fence: state.fence, since: now() }
  const { value, fault } = await attempt(
    watches.verifyService.executeWithOptions({ summary: 'check what it has done' }, [request]),
  )
  if (value?.well === true) return { kind: 'well' }
  return { kind: 'wrong', why: value?.why ?? fault?.message ?? 'it could not be checked' }
}

/** Until the agent is done or its place has failed; a person is told of a question that it asks meanwhile. */
async function untilDone(
  run: Run,
  ref: SessionRef,
  model: string | null,
  until: string,
): Promise<WakeUpSight> {
  const { state, watches, orders } = run
  const { service, incident } = state
  let waitingFor: string | null = null
  let transcriptFrom = 0
  for (;;) {
    const scope = new CancellationScope()
    const request = { ...ref, service, incident, model, transcriptFrom, waitingFor, until }
    let seen: WakeUpSight | null = null
    const watch = scope
      .run(() => watches.watchWakeUp.executeWithOptions({ summary: 'watch the agent work' }, [request]))
      .then((sight) => (seen = sight))
      .catch((error: unknown) => {
        if (isCancellation(error)) return
        if (!(error instanceof ActivityFailure)) throw error
        seen = { kind: 'failed', why: faultOf(error).message }
      })
    await condition(() => seen !== null || orders.stop)
    scope.cancel()
    await watch
    const sight = seen as WakeUpSight | null
    if (sight === null) return { kind: 'over', why: 'called off' }
    if (sight.kind !== 'waiting' && sight.kind !== 'again') return sight
    transcriptFrom = sight.transcriptTo
    waitingFor = sight.kind === 'waiting' ? sight.what : null
    const attention =
      waitingFor === null
        ? null
        : `the agent woken for ${service} asks: ${waitingFor}; answer it with outpool attach ${ref.session}`
    show(run, { attention })
    if (attention !== null && patched(patches.tellThatItAsks))
      await tellPerson(state.pool, service, incident, attention, 'asks')
  }
}

function saying(seen: WakeUpSight): string {
  if (seen.kind === 'done') return 'the agent says that it is done'
  return 'why' in seen ? `the agent was ended: ${seen.why}` : 'the agent was ended'
}
