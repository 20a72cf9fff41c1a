/** Carries a stopped session's conversation to the place where it continues. Idempotent. */
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Place } from '../../agents/adapter/place.js'
import type { LaunchRequest } from '../contracts.js'
import { locateTranscript, recordProgress, isCompleteAt } from './conversation.js'
import type { Host } from '../../host/host.js'
import { CarryFailedError } from '../errors.js'

/** Transcripts of the conversation, and of the one from which it would begin as a fork. Null if it was never begun. */
export interface CarriedTranscripts {
  own: string | null
  origin: string | null
}

/**
 * Finds the transcript with which a launch in this place continues, and carries it there if it is elsewhere. To be called within
 * `runExclusive`, while no process writes to it. Throws ConversationUnreachable and CarryFailed.
 */
export async function carryTranscripts(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  request: LaunchRequest,
  timed: (carry: () => Promise<string>) => Promise<string>,
): Promise<CarriedTranscripts> {
  const { session, sessionId, forkOf = null } = request
  const carryIfElsewhere = async (conversation: string): Promise<string | null> => {
    const transcript = await locateForLaunch(host, adapter, place, request, conversation)
    if (transcript === null || transcript === (await adapter.findTranscript(place, conversation)))
      return transcript
    return timed(() => carryTo(host, adapter, { session, sessionId: conversation, transcript }, place))
  }
  const own = await carryIfElsewhere(sessionId)
  return { own, origin: own !== null || forkOf === null ? null : await carryIfElsewhere(forkOf) }
}

function locateForLaunch(
  host: Host,
  adapter: AgentAdapter,
  place: Place,
  { session, mode, lastWritten = null }: LaunchRequest,
  conversation: string,
): Promise<string | null> {
  const before = host.records.newest(session)
  const placeBefore = before === null ? null : host.knownPlace(before.place)
  const near = placeBefore === null ? [place] : [place, placeBefore]
  // A new id cannot be in another place yet.
  const others = mode === 'new' ? [] : host.allPlaces()
  const transcript = lastWritten?.sessionId === conversation ? lastWritten.transcript : null
  return locateTranscript(host, adapter, { session, sessionId: conversation, transcript }, near, others)
}

/** Returns the transcript in its new place. Throws CarryFailed. */
async function carryTo(
  host: Host,
  adapter: AgentAdapter,
  { session, sessionId, transcript }: { session: string; sessionId: string; transcript: string },
  to: Place,
): Promise<string> {
  // The configuration may no longer name the place that the transcript comes from.
  const from: Place = {
    ...{ kind: 'account', name: transcript, env: {} },
    configDir: adapter.configDirOf(transcript),
  }
  const carried = await adapter.carry({ sessionId, from, to }).catch((error: unknown) => {
    throw new CarryFailedError(error instanceof Error ? error.message : String(error))
  })
  if (!(await isCompleteAt(host, adapter, session, sessionId, carried.transcript)))
    throw new CarryFailedError(`${carried.transcript} does not hold everything that ${transcript} holds`)
  await recordProgress(host, adapter, session, sessionId, carried.transcript, false)
  return carried.transcript
}
