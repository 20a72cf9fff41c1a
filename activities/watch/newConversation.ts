/** A person has begun or resumed another conversation in a session's pane (/clear, /resume). */
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Host } from '../../host/host.js'
import type { WatchRequest } from '../contracts.js'
import type { WatchOutcome } from './turnFailures.js'

/** `transcript`: of the other conversation, null if it has none yet. `since`: when the person switched to it. */
export async function recordNewConversation(
  host: Host,
  adapter: AgentAdapter,
  { session, fence }: Pick<WatchRequest, 'session' | 'fence'>,
  { sessionId, transcript, since }: { sessionId: string; transcript: string | null; since: string },
): Promise<WatchOutcome> {
  const tail = transcript === null ? null : await adapter.readTail(transcript, 0)
  const failure = tail?.last?.kind === 'failure' ? tail.last.failure : null
  const at = failure?.class === 'wall' ? failure.wall.at : failure?.at
  // Entries from before the person switched come from another process and prove nothing about walls now.
  const isNews = at !== undefined && Date.parse(at) >= Date.parse(since)
  const transcriptFrom = isNews ? 0 : (tail?.offset ?? 0)
  host.records.saveConversation(session, fence, sessionId, transcriptFrom)
  return { kind: 'renamed', sessionId, transcript, transcriptFrom }
}
