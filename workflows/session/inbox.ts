/** The texts that wait for the agent, and what became of others. */
import type { InboxText, SessionState } from './state.js'

/** Ids of taken texts that are remembered, so that a repeated one is not delivered twice. */
const maxTaken = 200
/** Refusals that are kept for senders who ask. */
const maxRefused = 20

/** The text that is to be typed next: the oldest that does not wait for a person. */
export const nextText = ({ inbox }: SessionState): InboxText | null =>
  inbox.find(({ problem }) => problem === undefined) ?? null

/** Without the texts that tell the agent to go on: a person's text takes their place. Tasks and wake-ups stay. */
export const withoutContinuations = (inbox: readonly InboxText[]): InboxText[] =>
  inbox.filter(({ cause }) => cause === undefined || cause === 'task' || cause === 'wake-up')

/** Queues a text that tells the agent to go on, unless a person's text waits already, which takes its place. */
export function queueContinuation(state: SessionState, continuation: InboxText): void {
  const isPersons = ({ cause, problem }: InboxText): boolean => cause === undefined && problem === undefined
  if (!state.inbox.some(isPersons)) state.inbox = [continuation, ...withoutContinuations(state.inbox)]
}

const startPromptPrefix = 'start-'

/**
 * Keeps the prompt to go on with which the agent was started, and which it was not seen to take. It may end before it does, and its
 * conversation then looks like one at rest; if it is only slow, this text is obsolete once it has taken its own.
 */
export function queueStartPrompt(state: SessionState, text: string): void {
  const { transcriptFrom: skipIfPromptedAfter } = state
  // The start has counted for the breaker.
  const counted = { cause: 'continuation', isCounted: true } as const
  queueContinuation(state, {
    id: `${startPromptPrefix}${state.fence}`,
    text,
    ...counted,
    skipIfPromptedAfter,
  })
}

/** To be called when a turn was answered: it was begun by that prompt, or by one that took its place, also of a later process. */
export function dropStartPrompt(state: SessionState): void {
  const isStartPrompt = ({ id, cause }: InboxText): boolean =>
    cause === 'continuation' && id.startsWith(startPromptPrefix)
  state.inbox = state.inbox.filter((text) => !isStartPrompt(text))
}

/** Whether the text waits, or was taken already. */
export const isKnownText = ({ takenTexts, inbox }: SessionState, id: string): boolean =>
  takenTexts.includes(id) || inbox.some((text) => text.id === id)

/** Queues texts that a person typed in the pane. They were typed before every text that still waits. */
export function queueTyped(state: SessionState, ids: readonly string[]): void {
  const typed = ids.filter((id) => !isKnownText(state, id)).map((id): InboxText => ({ id, text: null }))
  if (typed.length > 0) state.inbox = [...typed, ...withoutContinuations(state.inbox)]
}

export function markTaken(state: SessionState, id: string): void {
  state.inbox = state.inbox.filter((text) => text.id !== id)
  state.takenTexts = [...state.takenTexts, id].slice(-maxTaken)
}

/**
 * Takes the text out of the inbox for good, so that later ones are delivered. `notice` begins the attention of a person; null if
 * only the sender gets the reason.
 */
export function recordRefusal(state: SessionState, id: string, problem: string, notice: string | null): void {
  const remedy = `send it in other words or change the hook; outpool resume ${state.name} clears this notice`
  const attention = notice === null ? {} : { attention: `${notice}: ${problem}; ${remedy}` }
  state.refused = [...(state.refused ?? []), { id, problem, ...attention }].slice(-maxRefused)
  state.inbox = state.inbox.filter((text) => text.id !== id)
}

/** To be called when a person has acted, and so has seen the attention. */
export function clearRefusals(state: SessionState): void {
  for (const one of state.refused ?? []) delete one.attention
}
