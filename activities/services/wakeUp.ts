/** The woken agent, from the moment it runs: watched until its turn ends, its time is over or its place fails; then ended. */
import { setTimeout as delay } from 'node:timers/promises'
import { totalOf } from '../../policy/account/spend.js'
import type { Observation } from '../contracts.js'
import type { Sampler } from '../watch/sampler.js'
import { stopAgent } from '../session/stop.js'
import { watchAgent } from '../watch/watch.js'
import type { WakeUpEndRequest, WakeUpSight, WakeUpWatchRequest } from './contracts.js'
import type { ServiceHost } from './serviceHost.js'

/** How often the cost of a working agent is added up. */
const spendingEvery = 5_000

export async function watchWakeUp(
  side: ServiceHost,
  sampler: Sampler,
  request: WakeUpWatchRequest,
): Promise<WakeUpSight> {
  const { waitingFor, ...ref } = request
  const waiting = waitingFor === null ? null : { what: waitingFor, endsWith: 'dialog' as const }
  const status = `outpool: woken for incident ${request.incident} of ${request.service}`
  const limits = new AbortController()
  const over: { why: string | null } = { why: null }
  const limited = untilOver(side, request, limits.signal).then((why) => {
    over.why = why
    // The watch answers `released`; the reason is ours.
    if (why !== null) sampler.release(request.session, request.fence)
  })
  try {
    const seen = await watchAgent(side.host, sampler, {
      ...ref,
      ...{ waiting, stayUntil: null, untilTurnEnd: true, status },
    })
    return over.why === null ? sightOf(seen) : { kind: 'over', why: over.why }
  } finally {
    limits.abort()
    await limited
  }
}

/** Why the agent has to be ended now; null where it ended by itself first. */
async function untilOver(
  { host }: ServiceHost,
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
    const transcript = await adapter.findTranscript(await host.place(request.place), request.sessionId)
    if (!limits || transcript === null) continue
    const files = await adapter.readTokenUsage(transcript, {})
    const { answers, tokens } = totalOf(files.flatMap(({ used }) => used))
    if (answers > limits.maxAnswers) return `it gave more than ${limits.maxAnswers} answers`
    if (tokens > limits.maxTokens) return `it spent more than ${limits.maxTokens} tokens`
  }
}

/** A wall, a lost login, a crash: whatever keeps the agent from working here is a reason to try the next place. */
function sightOf(seen: Observation): WakeUpSight {
  const { transcriptTo } = seen
  switch (seen.kind) {
    case 'turn-ended':
      return { kind: 'done' }
    case 'walled':
      return { kind: 'failed', why: `walled (${seen.wall.kind})` }
    case 'login':
      return { kind: 'failed', why: 'logged out' }
    case 'exited':
      return { kind: 'failed', why: `the agent ended: ${seen.how}` }
    case 'gone':
      return { kind: 'failed', why: `its ${seen.what} vanished` }
    case 'frozen':
      return { kind: 'failed', why: `frozen: ${seen.how}` }
    case 'spent':
      return { kind: 'failed', why: 'what its substrate may cost is spent' }
    case 'context':
    case 'unfit':
    case 'config':
    case 'transient':
      return { kind: 'failed', why: `its turn failed (${seen.kind})` }
    case 'renamed':
      return { kind: 'failed', why: 'its conversation was left' }
    case 'waiting':
      return { kind: 'waiting', what: seen.what, transcriptTo }
    case 'near-limit':
    case 'ready-for-home':
    case 'not-waiting':
    case 'answered':
    case 'released':
    case 'rollover':
      return { kind: 'again', transcriptTo }
  }
}

export async function endWakeUp(
  side: ServiceHost,
  sampler: Sampler,
  request: WakeUpEndRequest,
): Promise<void> {
  const { host, incidents } = side
  const { service, incident, says, transcriptFrom, ...ref } = request
  sampler.release(ref.session, ref.fence)
  await stopAgent(host, { ...ref, closePane: true, status: `outpool: ${service}: ${says}` })
  const adapter = host.adapter(ref.agent)
  const transcript = await adapter.findTranscript(await host.place(ref.place), ref.sessionId)
  const answer = transcript === null ? null : await adapter.readLastAnswer(transcript, transcriptFrom)
  incidents.note(incident, 'wake-up', says)
  if (answer !== null) incidents.quote(incident, 'said', { title: `On ${ref.place.name}`, text: answer.text })
}
