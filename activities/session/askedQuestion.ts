/** An agent's question as commands show it, and the digest that identifies it. */
import { createHash } from 'node:crypto'
import { withoutSecrets } from '../../config/secrets/known.js'
import { boundedText } from '../../policy/boundedText.js'
import type { LiveState } from '../../agents/adapter/liveness.js'
import type { LiveQuestion } from '../../config/state/liveFile.js'
import type { Question } from '../../policy/session/question.js'

export type { LiveQuestion as AskedQuestion }

/** The longest text of a question that is shown, in characters. */
const shownMax = 2_000

/** What an agent asks, as it may leave its pane. */
export const shownText = (text: string): string => boundedText(withoutSecrets(text), shownMax)

/** The same question may be asked twice. The instant at which the program began to wait tells them apart. */
export function questionDigest(
  question: Question,
  state: Pick<LiveState, 'sessionId' | 'updatedAt'>,
): string {
  const identity = JSON.stringify([state.sessionId, state.updatedAt, question.mark])
  return createHash('sha256').update(identity).digest('hex').slice(0, 16)
}

export function toAskedQuestion(
  question: Question,
  state: Pick<LiveState, 'sessionId' | 'updatedAt'>,
): LiveQuestion {
  const { text } = question
  const choices = question.choices.map(({ n, label, description, isFreeText }) => ({
    n,
    label: shownText(label),
    says: description === null ? null : shownText(description),
    isOwn: isFreeText,
  }))
  const takesSeveral = question.choices.some(({ isChecked }) => isChecked !== null)
  return { asks: shownText(text), digest: questionDigest(question, state), choices, takesSeveral }
}
