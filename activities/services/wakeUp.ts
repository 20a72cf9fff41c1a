/** Watches the woken agent until its turn ends, its time is over or its place fails, and then ends it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Host } from '../../host/host.js'
import { log } from '../../host/log.js'
import { totalUsage } from '../../policy/account/spend.js'
import type { SessionObservation } from '../contracts.js'
import type { Sampler } from '../watch/sampler.js'
import { stopAgent } from '../session/stop.js'
import { watchAgent } from '../watch/watch.js'
import type { WakeUpEndRequest, WakeUpObservation, WakeUpWatchRequest } from './contracts.js'
import type { ServiceContext } from './serviceContext.js'

/** How often the cost of a working agent is added up. */
const spendingEvery = 5_000

export async function watchWakeUp(
  context: ServiceContext,
  sampler: Sampler,
  request: WakeUpWatchRequest,
): Promise<WakeUpObservation> {
  const { waitingFor, ...ref } = request
  const waiting = waitingFor === null ? null : { what: waitingFor, endsWith: 'dialog' as const }
  const status = `outpool: woken for incident ${request.incident} of ${request.service}`
  const watchEnded = new AbortController()
  const limitReached = new AbortController()
  const limit: { why: string | null } = { why: null }
  const limits = untilLimitReached(context, request, watchEnded.signal).then((why) => {
    limit.why = why
    if (why !== null) limitReached.abort()
  })
  const watched = { ...ref, waiting, stayUntil: null, untilTurnEnd: true, status }
  try {
    const observation = await watchAgent(context.host, sampler, watched, { signal: limitReached.signal })
    return limit.why === null ? toWakeUpObservation(observation) : { kind: 'over', why: limit.why }
  } finally {
    watchEnded.abort()
    await limits
  }
}

/** Why the agent has to be ended; null if it ended by itself first. */
async function untilLimitReached(
  { host }: ServiceContext,
  request: WakeUpWatchRequest,
  signal: AbortSignal,
): Promise<string | null> {
  const adapter = host.adapter(request.agent)
  for (;;) {
    const left = Date.parse(request.until) - host.clock.now()
    if (left <= 0) return 'it was not done in time'
    await delay(Math.min(left, spendingEvery), undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return null
    const limits = host.config.services.find(({ name }) => name === request.service)?.wakeUp
    const spent = await spentBy(host, adapter, request).catch((error: unknown) => {
      log.warn({ err: error }, `what the agent that was woken for ${request.service} has spent can't be read`)
      return null
    })
    if (!limits || spent === null) continue
    const { answers, tokens } = spent
    if (answers > limits.maxAnswers) return `it gave more than ${limits.maxAnswers} answers`
    if (tokens > limits.maxTokens) return `it spent more than ${limits.maxTokens} tokens`
  }
}

/** Null as long as it has no transcript. */
async function spentBy(
  host: Host,
  adapter: AgentAdapter,
  { place, sessionId }: WakeUpWatchRequest,
): Promise<ReturnType<typeof totalUsage> | null> {
  const transcript = await adapter.findTranscript(host.readablePlace(place), sessionId)
  if (transcript === null) return null
  const files = await adapter.readTokenUsage(transcript, {})
  return totalUsage(files.flatMap(({ used }) => used))
}

/** A wall, a lost login or a crash keeps the agent from working here, so the next place is tried. */
function toWakeUpObservation(observation: SessionObservation): WakeUpObservation {
  const { transcriptTo } = observation
  switch (observation.kind) {
    case 'turn-ended':
      return { kind: 'done' }
    case 'walled':
      return { kind: 'failed', why: `walled (${observation.wall.kind})` }
    case 'login':
      return { kind: 'failed', why: 'logged out' }
    case 'leaving':
      return { kind: 'failed', why: observation.why }
    case 'exited':
      return { kind: 'failed', why: `the agent ended: ${observation.how}` }
    case 'gone':
      return { kind: 'failed', why: `its ${observation.what} vanished` }
    case 'frozen':
      return { kind: 'failed', why: `frozen: ${observation.how}` }
    case 'turn-stopped':
      return { kind: 'failed', why: observation.text }
    case 'spent':
      return { kind: 'failed', why: 'the budget of its substrate is spent' }
    case 'context':
    case 'unfit':
    case 'config':
    case 'transient':
      return { kind: 'failed', why: `its turn failed (${observation.kind})` }
    case 'renamed':
      return { kind: 'failed', why: 'another conversation was begun in its pane' }
    case 'waiting':
      return { kind: 'waiting', what: observation.what, transcriptTo }
    case 'near-limit':
    case 'ready-for-failback':
    case 'not-waiting':
    case 'answered':
    case 'released':
    case 'rollover':
      return { kind: 'again', transcriptTo }
  }
}

export async function endWakeUp(
  context: ServiceContext,
  sampler: Sampler,
  request: WakeUpEndRequest,
): Promise<void> {
  const { host, incidents } = context
  const { service, incident, description, transcriptFrom, ...ref } = request
  sampler.release(ref.session, ref.fence)
  await stopAgent(host, { ...ref, closePane: true, status: `outpool: ${service}: ${description}` })
  const adapter = host.adapter(ref.agent)
  // The configuration may have lost the place since the agent was started there.
  const place = host.knownPlace(ref.place)
  const transcript = place === null ? null : await adapter.findTranscript(place, ref.sessionId)
  const answer = transcript === null ? null : await adapter.readLastAnswer(transcript, transcriptFrom)
  incidents.note(incident, 'wake-up', description)
  if (answer !== null) incidents.quote(incident, 'said', { title: `On ${ref.place.name}`, text: answer.text })
}
