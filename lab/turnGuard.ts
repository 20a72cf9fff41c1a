/** Finds turns that no scenario explains: texts that an agent got more often than they were sent, and continuations without a reason. */
import type { OutpoolEvent } from '../config/events/schema.js'
import { promptsOf, type RecordedRequest } from './standin/requests.js'

/** Thrown when a test is over in which Outpool had an agent take a turn that nothing explains. */
export class UnexplainedTurnsError extends Error {
  override readonly name = 'UnexplainedTurnsError'

  constructor(faults: readonly string[]) {
    super(`turns that the scenario does not explain:\n${faults.join('\n')}`)
  }
}

/** Ends or is part of every text with which Outpool begins a turn by itself. */
const outpoolsWords = [
  'do not repeat work that is already complete.',
  'has been replaced while you were at rest.',
]

/** Lines that the agent program adds to a conversation by itself, and repeats. */
const programsWords = /^\s*(\[|<|Continue from where you left off)/

const isOutpools = (text: string): boolean => outpoolsWords.some((words) => text.includes(words))

/**
 * One line for each fault, or none. A text counts once for each place in the conversation; `repeated` are those that a test sends more
 * than once. Outpool begins a turn only when it has moved, started or woken a session, or after an error, each of which is an event.
 */
export function unexplainedTurns(
  requests: readonly RecordedRequest[],
  events: readonly OutpoolEvent[],
  repeated: RegExp | null,
): string[] {
  const faults: string[] = []
  const reasons = events.filter(({ kind }) => kind.startsWith('session-')).length
  for (const [session, last] of longestRequests(requests)) {
    const prompts = promptsOf(last).map((text) => text.trim())
    const said = prompts.filter((text) => !isOutpools(text) && !programsWords.test(text))
    for (const text of new Set(said)) {
      const times = said.filter((other) => other === text).length
      if (times > 1 && repeated?.test(text) !== true)
        faults.push(`${session} was given ${times} times: ${text.slice(0, 200)}`)
    }
    const continuations = prompts.filter(isOutpools).length
    if (continuations > reasons)
      faults.push(`${session} was told ${continuations} times to go on, after ${reasons} events`)
  }
  return faults
}

/** Of each conversation, the request that holds the most of it. */
function longestRequests(requests: readonly RecordedRequest[]): Map<string, RecordedRequest> {
  const longest = new Map<string, RecordedRequest>()
  for (const request of requests) {
    if (request.kind !== 'turn' || request.subagent || request.sessionId === null) continue
    const known = longest.get(request.sessionId)
    if (known === undefined || request.messages.length >= known.messages.length)
      longest.set(request.sessionId, request)
  }
  return longest
}
