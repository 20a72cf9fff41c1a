/** One woken agent: launched on a place of the healer's, watched until it is done, ended, and its work checked. */
import { ActivityFailure, CancellationScope, condition, isCancellation, uuid4 } from '@temporalio/workflow'
import { wakeUpSessionName } from '../../policy/ids.js'
import type { SessionRef } from '../../activities/contracts.js'
import type { WakeUpPlan, WakeUpObservation } from '../../activities/services/contracts.js'
import { attempt, failureOf } from '../stepFailures.js'
import { notifyPerson } from '../notifyPerson.js'
import { later, now, type EscalationContext, show } from './context.js'

/** `well`: the check agreed. `wrong`: it did not. `failed`: the place is to blame, not the agent's work. */
export type WakeUpOutcome = { kind: 'well' } | { kind: 'wrong' | 'failed'; why: string } | { kind: 'stopped' }

export async function wakeUp(
  ctx: EscalationContext,
  plan: Extract<WakeUpPlan, { kind: 'ready' }>,
): Promise<WakeUpOutcome> {
  const { state, steps, moves } = ctx
  const { service, incident } = state
  const { place, agent, cwd, model } = plan
  state.attempts += 1
  state.fence = Math.max(state.fence + 1, Math.floor(Date.now() / 1000))
  const ref = {
    session: wakeUpSessionName(incident),
    sessionId: uuid4(),
    fence: state.fence,
    agent,
    cwd,
    place,
  }
  show(ctx, { place, attention: null })
  const until = later(plan.timeout)
  const prompt = { text: { file: plan.promptFile }, otherwise: null }
  const status = `outpool: woken for incident ${incident} of ${service}`
  const summary = `wake an agent on ${place.name}`
  const launched = await attempt(
    moves.launchAgent.executeWithOptions({ summary }, [{ ...ref, model, mode: 'new', prompt, status }]),
  )
  const sight: WakeUpObservation =
    launched.failure === null
      ? await awaitEnd(ctx, ref, model, until)
      : { kind: 'failed', why: `it did not come up: ${launched.failure.message}` }
  const description = ctx.orders.stop ? 'called off' : describeEnd(sight)
  await steps.endWakeUp.executeWithOptions({ summary: `end the agent: ${description}`.slice(0, 200) }, [
    { ...ref, service, incident, description, transcriptFrom: 0 },
  ])
  show(ctx, { place: null, attention: null })
  if (ctx.orders.stop) return { kind: 'stopped' }
  if (sight.kind === 'failed') return { kind: 'failed', why: sight.why }
  return verify(ctx)
}

/** Words are not believed: the service's own signs of life have to be newer than now. What is in trouble is started anew first. */
export async function verify(ctx: EscalationContext): Promise<WakeUpOutcome> {
  const { state, watches } = ctx
  const { service, incident } = state
  state.fence = Math.max(state.fence + 1, Math.floor(Date.now() / 1000))
  const request = { service, incident, fence: state.fence, since: now() }
  const { value, failure } = await attempt(
    watches.verifyService.executeWithOptions({ summary: 'check what it has done' }, [request]),
  )
  if (value?.well === true) return { kind: 'well' }
  return { kind: 'wrong', why: value?.why ?? failure?.message ?? 'it could not be checked' }
}

/** Until the agent is done or its place has failed; a person is told of a question that it asks meanwhile. */
async function awaitEnd(
  ctx: EscalationContext,
  ref: SessionRef,
  model: string | null,
  until: string,
): Promise<WakeUpObservation> {
  const { state, watches, orders } = ctx
  const { service, incident } = state
  let waitingFor: string | null = null
  let transcriptFrom = 0
  for (;;) {
    const scope = new CancellationScope()
    const request = { ...ref, service, incident, model, transcriptFrom, waitingFor, until }
    let observed: WakeUpObservation | null = null
    const watch = scope
      .run(() => watches.watchWakeUp.executeWithOptions({ summary: 'watch the agent work' }, [request]))
      .then((sight) => (observed = sight))
      .catch((error: unknown) => {
        if (isCancellation(error)) return
        if (!(error instanceof ActivityFailure)) throw error
        observed = { kind: 'failed', why: failureOf(error).message }
      })
    await condition(() => observed !== null || orders.stop)
    scope.cancel()
    await watch
    const sight = observed as WakeUpObservation | null
    if (sight === null) return { kind: 'over', why: 'called off' }
    if (sight.kind !== 'waiting' && sight.kind !== 'again') return sight
    transcriptFrom = sight.transcriptTo
    waitingFor = sight.kind === 'waiting' ? sight.what : null
    const attention =
      waitingFor === null
        ? null
        : `the agent woken for ${service} asks: ${waitingFor}; answer it with outpool attach ${ref.session}`
    show(ctx, { attention })
    if (attention !== null) await notifyPerson(state.pool, service, incident, attention, 'asks')
  }
}

function describeEnd(seen: WakeUpObservation): string {
  if (seen.kind === 'done') return 'the agent says that it is done'
  return 'why' in seen ? `the agent was ended: ${seen.why}` : 'the agent was ended'
}
