/** Finds the newest complete copy of a conversation, so that no launch continues an older copy or begins a blank one (law 5). */
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Place } from '../../agents/adapter/place.js'
import type { TranscriptEnd } from '../../agents/adapter/transcript.js'
import type { PlaceRef } from '../../policy/session/place.js'
import type { Host } from '../../host/host.js'
import type { ConversationProgress } from '../../host/state/sessionRecord.js'
import { ConversationUnreachableError } from '../errors.js'

/** Names a conversation, with what the workflow knows of it. */
export interface ConversationRef {
  session: string
  sessionId: string
  /** Where it was last written, as far as the caller knows; null if unknown. */
  transcript: string | null
}

interface TranscriptCopy {
  path: string
  end: TranscriptEnd
}

/** Records how far the conversation has come. `isLast`: no process writes to the transcript any more. */
export async function recordProgress(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  sessionId: string,
  transcript: string | null,
  isLast: boolean,
): Promise<TranscriptEnd | null> {
  const end = transcript === null ? null : await adapter.readEnd(transcript)
  if (transcript === null || end === null || end.newest === null) return end
  const known = host.records.progress(session, sessionId)
  if (known !== null && !(await continuesFrom(adapter, transcript, end, known))) return end
  const { bytes, newest } = end
  host.records.saveProgress(session, sessionId, { transcript, bytes, newest, isLast })
  return end
}

/** A program that ends may create a new file where its transcript was. A file that lacks the known progress is another one. */
async function continuesFrom(
  adapter: AgentAdapter,
  transcript: string,
  end: TranscriptEnd,
  known: ConversationProgress,
): Promise<boolean> {
  if (known.transcript !== transcript)
    return !isOlder(end, known) && (await adapter.containsEntry(transcript, known.newest.id))
  return (await adapter.readEnd(transcript, known.bytes))?.newest?.id === known.newest.id
}

const isOlder = ({ bytes, newest }: TranscriptEnd, known: ConversationProgress): boolean =>
  (newest?.at ?? '') < (known.newest.at ?? '') || (newest?.at === known.newest.at && bytes < known.bytes)

/**
 * The transcript with which the conversation continues: the newest copy that holds the newest known entry. Searched where it was
 * last written, even if the configuration no longer names that place, then in `near`, then in all `others`. Null if the
 * conversation was never begun. Throws ConversationUnreachable.
 */
export async function locateTranscript(
  host: Host,
  adapter: AgentAdapter,
  { session, sessionId, transcript }: ConversationRef,
  near: readonly Place[],
  others: readonly Place[],
): Promise<string | null> {
  const progress = host.records.progress(session, sessionId)
  const lastPath = progress?.transcript ?? transcript
  const candidates = new Set(lastPath === null ? [] : [lastPath])
  const canSearchNearFirst = lastPath !== null && near.length > 0
  for (const places of canSearchNearFirst ? [near, others] : [[...near, ...others]]) {
    for (const place of places) {
      const path = await adapter.findTranscript(place, sessionId)
      if (path !== null) candidates.add(path)
    }
    const best = await newestComplete(adapter, [...candidates], progress)
    if (best === null) continue
    // Not the last progress: the launch that follows writes to it.
    await recordProgress(host, adapter, session, sessionId, best, false)
    return best
  }
  if (candidates.size === 0) return null
  throw new ConversationUnreachableError(
    sessionId,
    await explainUnreachable(adapter, [...candidates], lastPath),
  )
}

async function newestComplete(
  adapter: AgentAdapter,
  paths: readonly string[],
  progress: ConversationProgress | null,
): Promise<string | null> {
  const isGone = progress !== null && (await adapter.readEnd(progress.transcript)) === null
  const complete: TranscriptCopy[] = []
  for (const path of paths) {
    const end = await adapter.readEnd(path)
    if (end === null || !(await isComplete(adapter, path, end, progress))) continue
    // Entries after the last recorded progress are lost with that file. A copy that ends at the progress may lack them.
    if (isGone && !progress.isLast && end.newest?.id === progress.newest.id) continue
    complete.push({ path, end })
  }
  return complete.sort(newestFirst)[0]?.path ?? null
}

/** If the copy holds the known entry, it holds everything before it too. */
const isComplete = async (
  adapter: AgentAdapter,
  path: string,
  end: TranscriptEnd,
  progress: ConversationProgress | null,
): Promise<boolean> =>
  progress === null ||
  end.newest?.id === progress.newest.id ||
  (await adapter.containsEntry(path, progress.newest.id))

async function explainUnreachable(
  adapter: AgentAdapter,
  candidates: readonly string[],
  lastPath: string | null,
): Promise<string> {
  const readable: string[] = []
  for (const path of candidates) if ((await adapter.readEnd(path)) !== null) readable.push(path)
  const last = lastPath ?? candidates.join(' and ')
  if (readable.length === 0)
    return `it was last written at ${last}, which is gone or cannot be read; put the file back, or make it readable`
  return `${readable.join(' and ')} ends before what was last written at ${last}; put that file back`
}

const newestFirst = (a: TranscriptCopy, b: TranscriptCopy): number =>
  (b.end.newest?.at ?? '').localeCompare(a.end.newest?.at ?? '') || b.end.bytes - a.end.bytes

/** Whether this copy holds the newest entry that is known of the conversation. */
export async function isCompleteAt(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  sessionId: string,
  transcript: string,
): Promise<boolean> {
  return (await newestComplete(adapter, [transcript], host.records.progress(session, sessionId))) !== null
}

/** The transcript of this launch, even if the configuration no longer names its place; null if there is none. */
export async function lastTranscript(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  { place, sessionId }: { place: PlaceRef; sessionId: string },
): Promise<string | null> {
  const known = host.knownPlace(place)
  const found = known === null ? null : await adapter.findTranscript(known, sessionId)
  return found ?? host.records.progress(session, sessionId)?.transcript ?? null
}
