/** A question that an agent asks its user on its screen. */

export interface Choice {
  n: number
  label: string
  /** The text under the label, in one line, or null. */
  description: string | null
  /** Takes free text. */
  isFreeText: boolean
  /** The cursor is on it. */
  isHighlighted: boolean
  /** Null if only one choice can be made. */
  isChecked: boolean | null
}

export interface Question {
  /** The whole question, one line. */
  text: string
  choices: Choice[]
  /** Identifies the question. Does not depend on the cursor or on choices that are ticked. */
  mark: string
  /** Asked by the agent with its tool for questions; all others come from the program. */
  isOfTool: boolean
  /** The page that asks whether to submit the answers. */
  isReview: boolean
  /** Whether all of the questions that are asked together are answered. */
  isAllAnswered: boolean
}

/** The numbers in an answer such as `2` or `1,3`; null for words. */
export function parseChoiceNumbers(answer: string): number[] | null {
  if (!/^\s*\d{1,2}(?:\s*[,\s]\s*\d{1,2})*\s*$/.test(answer)) return null
  return [
    ...new Set(
      answer
        .split(/[\s,]+/)
        .filter((part) => part !== '')
        .map(Number),
    ),
  ]
}

/** The attention of a session that asks. `takesAnswers`: the question can be answered from outside its pane. */
export function questionAttention(session: string, what: string, takesAnswers: boolean): string {
  const end = /[?!.]$/.test(what) ? '' : '.'
  const answer = takesAnswers ? `outpool answer ${session} or ` : ''
  return `it asks: ${what}${end} Answer with ${answer}outpool attach ${session}`
}
