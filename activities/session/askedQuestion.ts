/** A question of an agent's as it is shown to others, and what tells it from every other one. */
import { createHash } from 'node:crypto'
import type { LiveState } from '../../agents/agent.js'
import type { LiveQuestion } from '../../config/state/liveFile.js'
import type { Question } from '../../policy/session/question.js'

export type { LiveQuestion as AskedQuestion }

/** The same page may come twice: when the program began to wait tells the second from the first. */
export function digestOf(question: Question, state: Pick<LiveState, 'sessionId' | 'updatedAt'>): string {
  const identity = JSON.stringify([state.sessionId, state.updatedAt, question.mark])
  return createHash('sha256').update(identity).digest('hex').slice(0, 16)
}

export function askedNow(
  question: Question,
  state: Pick<LiveState, 'sessionId' | 'updatedAt'>,
): LiveQuestion {
  const { asks } = question
  const choices = question.choices.map(({ n, label, says, isOwn }) => ({ n, label, says, isOwn }))
  const takesSeveral = question.choices.some(({ isTicked }) => isTicked !== null)
  return { asks, digest: digestOf(question, state), choices, takesSeveral }
}
