/** Finding a conversation by what is known of it, so that no step goes on with an older copy or begins a blank one (law 5). */
import type { AgentAdapter, Place, TranscriptEnd } from '../../agents/agent.js'
import type { PlaceRef } from '../../policy/session/place.js'
import type { Host } from '../../host/host.js'
import type { Trace } from '../../host/state/sessionRecords.js'
import { ConversationUnreachableError } from '../errors.js'

/** Whose conversation is meant, and what others than this host's own record say of it. */
export interface Wanted {
  session: string
  sessionId: string
  /** Where it was last written, as far as the one who asks knows; null where that is nothing. */
  transcript: string | null
}

interface Copy {
  path: string
  end: TranscriptEnd
}

/** Notes how far the conversation has come, as its transcript has it now. `isLast`: nothing writes to it any more. */
export async function noteEnd(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  sessionId: string,
  transcript: string | null,
  isLast: boolean,
): Promise<TranscriptEnd | null> {
  const end = transcript === null ? null : await adapter.readEnd(transcript)
  if (transcript === null || end === null || end.newest === null) return end
  const known = host.records.trace(session, sessionId)
  if (known !== null && !(await goesOnFrom(adapter, transcript, end, known))) return end
  const { bytes, newest } = end
  host.records.saveTrace(session, sessionId, { transcript, bytes, newest, isLast })
  return end
}

/** A program that ends may write to where its transcript was: a file that does not begin with what is known is another one. */
async function goesOnFrom(
  adapter: AgentAdapter,
  transcript: string,
  end: TranscriptEnd,
  known: Trace,
): Promise<boolean> {
  if (known.transcript !== transcript)
    return !isOlder(end, known) && (await adapter.containsEntry(transcript, known.newest.id))
  return (await adapter.readEnd(transcript, known.bytes))?.newest?.id === known.newest.id
}

const isOlder = ({ bytes, newest }: TranscriptEnd, known: Trace): boolean =>
  (newest?.at ?? '') < (known.newest.at ?? '') || (newest?.at === known.newest.at && bytes < known.bytes)

/**
 * The transcript with which the conversation goes on: the newest copy that holds the newest entry that was ever known of it.
 * Looked for where it was last written, whatever the configuration names now, then `near`, then at all `others`. Null where it
 * was never begun. Throws ConversationUnreachable.
 */
export async function locate(
  host: Host,
  adapter: AgentAdapter,
  { session, sessionId, transcript }: Wanted,
  near: readonly Place[],
  others: readonly Place[],
): Promise<string | null> {
  const trace = host.records.trace(session, sessionId)
  const lastPath = trace?.transcript ?? transcript
  const seen = new Set(lastPath === null ? [] : [lastPath])
  const isSure = lastPath !== null && near.length > 0
  for (const places of isSure ? [near, others] : [[...near, ...others]]) {
    for (const place of places) {
      const path = await adapter.findTranscript(place, sessionId)
      if (path !== null) seen.add(path)
    }
    const best = await newestOf(adapter, [...seen], trace)
    if (best === null) continue
    // The launch that asks is about to write to it.
    await noteEnd(host, adapter, session, sessionId, best, false)
    return best
  }
  if (seen.size === 0) return null
  throw new ConversationUnreachableError(sessionId, await whyNot(adapter, [...seen], lastPath))
}

async function newestOf(
  adapter: AgentAdapter,
  paths: readonly string[],
  trace: Trace | null,
): Promise<string | null> {
  const isGone = trace !== null && (await adapter.readEnd(trace.transcript)) === null
  const proven: Copy[] = []
  for (const path of paths) {
    const end = await adapter.readEnd(path)
    if (end === null || !(await holdsAllOf(adapter, path, end, trace))) continue
    // What was written after the last note went with the file: a copy that ends at the note may be an older one.
    if (isGone && !trace.isLast && end.newest?.id === trace.newest.id) continue
    proven.push({ path, end })
  }
  return proven.sort(newestFirst)[0]?.path ?? null
}

/** A known entry that stands in the copy proves that everything before it does. */
const holdsAllOf = async (
  adapter: AgentAdapter,
  path: string,
  end: TranscriptEnd,
  trace: Trace | null,
): Promise<boolean> =>
  trace === null || end.newest?.id === trace.newest.id || (await adapter.containsEntry(path, trace.newest.id))

async function whyNot(
  adapter: AgentAdapter,
  seen: readonly string[],
  lastPath: string | null,
): Promise<string> {
  const readable: string[] = []
  for (const path of seen) if ((await adapter.readEnd(path)) !== null) readable.push(path)
  const last = lastPath ?? seen.join(' and ')
  if (readable.length === 0)
    return `it was last written at ${last}, which is gone or cannot be read; put the file back, or make it readable`
  return `${readable.join(' and ')} ends before what was last written at ${last}; put that file back`
}

const newestFirst = (a: Copy, b: Copy): number =>
  (b.end.newest?.at ?? '').localeCompare(a.end.newest?.at ?? '') || b.end.bytes - a.end.bytes

/** Whether this copy holds the newest entry that is known of the conversation. */
export async function provenAt(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  sessionId: string,
  transcript: string,
): Promise<boolean> {
  return (await newestOf(adapter, [transcript], host.records.trace(session, sessionId))) !== null
}

/** What this launch wrote, also where the configuration has forgotten its place; null where nothing can be found of it. */
export async function lastTranscript(
  host: Host,
  adapter: AgentAdapter,
  session: string,
  { place, sessionId }: { place: PlaceRef; sessionId: string },
): Promise<string | null> {
  const files = host.filesIfNamed(place)
  const found = files === null ? null : await adapter.findTranscript(files, sessionId)
  return found ?? host.records.trace(session, sessionId)?.transcript ?? null
}
