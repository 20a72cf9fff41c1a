/** One woken agent: launched on one of the healer's places, watched until it is done, ended, and its work checked. */
import { condition, uuid4 } from '@temporalio/workflow'
import { wakeUpSessionName } from '../../policy/ids.js'
import type { SessionRef } from '../../activities/contracts.js'
import type {
  WakeUpPlan,
  WakeUpObservation,
  WakeUpWatchRequest,
  VerifyRequest,
} from '../../activities/services/contracts.js'
import { startStep } from '../runningStep.js'
import { attempt } from '../stepFailures.js'
import { notifyPerson } from '../notifyPerson.js'
import { nextFence } from '../fences.js'
import { later, now } from '../now.js'
import { type EscalationContext, show } from './context.js'

/** `well`: the check passed. `wrong`: it failed. `failed`: the place failed, and the agent's work was not checked. */
export type WakeUpOutcome = { kind: 'well' } | { kind: 'wrong' | 'failed'; why: string } | { kind: 'stopped' }

export async function wakeUp(
  ctx: EscalationContext,
  plan: Extract<WakeUpPlan, { kind: 'ready' }>,
): Promise<WakeUpOutcome> {
  const { state, steps, launches, handlers } = ctx
  const { service, incident } = state
  const { place, agent, cwd, model } = plan
  state.attempts += 1
  state.fence = nextFence(state.fence)
  const ref: SessionRef = {
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
    launches.launchAgent.executeWithOptions({ summary }, [{ ...ref, model, mode: 'new', prompt, status }]),
  )
  const observation: WakeUpObservation =
    launched.failure === null
      ? await awaitEnd(ctx, ref, model, until)
      : { kind: 'failed', why: `the agent did not start: ${launched.failure.message}` }
  const description = handlers.isStopped ? 'the escalation was stopped' : describeEnd(observation)
  await steps.endWakeUp.executeWithOptions({ summary: 'end the agent' }, [
    { ...ref, service, incident, description, transcriptFrom: 0 },
  ])
  show(ctx, { place: null, attention: null })
  if (handlers.isStopped) return { kind: 'stopped' }
  if (observation.kind === 'failed') return { kind: 'failed', why: observation.why }
  return verify(ctx)
}

/**
 * Checks the service and not the agent's words: its own signs of life have to be newer than this moment. A service that is in
 * trouble is restarted first.
 */
export async function verify(ctx: EscalationContext): Promise<WakeUpOutcome> {
  const { state, watches } = ctx
  const { service, incident } = state
  state.fence = nextFence(state.fence)
  const request: VerifyRequest = { service, incident, fence: state.fence, since: now() }
  const { value, failure } = await attempt(
    watches.verifyService.executeWithOptions({ summary: 'check whether the service is well' }, [request]),
  )
  if (value?.well === true) return { kind: 'well' }
  return { kind: 'wrong', why: value?.why ?? failure?.message ?? 'it could not be checked' }
}

/** Waits until the agent is done or its place has failed. If the agent asks a question meanwhile, a person is notified. */
async function awaitEnd(
  ctx: EscalationContext,
  ref: SessionRef,
  model: string | null,
  until: string,
): Promise<WakeUpObservation> {
  const { state, watches, handlers } = ctx
  const { service, incident } = state
  let waitingFor: string | null = null
  let transcriptFrom = 0
  for (;;) {
    const request: WakeUpWatchRequest = {
      ...{ ...ref, service, incident, model, transcriptFrom, waitingFor, until },
    }
    const watch = startStep(() =>
      watches.watchWakeUp.executeWithOptions({ summary: 'watch the agent work' }, [request]),
    )
    await condition(() => watch.outcome !== null || handlers.isStopped)
    await watch.end()
    if (watch.outcome === null) return { kind: 'over', why: 'the escalation was stopped' }
    const { value: observation, failure } = watch.outcome
    if (failure !== null) return { kind: 'failed', why: failure.message }
    if (observation.kind !== 'waiting' && observation.kind !== 'again') return observation
    transcriptFrom = observation.transcriptTo
    waitingFor = observation.kind === 'waiting' ? observation.what : null
    const attention =
      waitingFor === null
        ? null
        : `the agent woken for ${service} asks: ${waitingFor}; answer it with outpool attach ${ref.session}`
    show(ctx, { attention })
    if (attention !== null) await notifyPerson(state.pool, service, incident, attention, 'question')
  }
}

function describeEnd(observation: WakeUpObservation): string {
  if (observation.kind === 'done') return 'the agent says that it is done'
  return 'why' in observation ? `the agent was ended: ${observation.why}` : 'the agent was ended'
}
