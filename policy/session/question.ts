/** A question that an agent asks its user on its screen. */

export interface Choice {
  n: number
  label: string
  /** What stands under it, one line, or null. */
  description: string | null
  /** Takes a text of the person's own. */
  isFreeText: boolean
  /** The cursor stands on it. */
  isHighlighted: boolean
  /** Null where only one choice can be made. */
  isChecked: boolean | null
}

export interface Question {
  /** The whole question, one line. */
  text: string
  choices: Choice[]
  /** What makes it this question and no other, whatever the cursor and the ticks: the same for each look at the same page. */
  mark: string
  /** Asked by the agent itself, for what it is to do; others are the program's own. */
  isOfTool: boolean
  /** A page that only asks whether the answers given are to be handed in. */
  isReview: boolean
  /** Of the questions that are asked together none is open. */
  isAllAnswered: boolean
}

/** The numbers that a person named, as in `2` or `1,3`; null for words. */
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

/** For a person. `takesAnswers`: its choices are known, and it can be answered from outside its pane. */
export function questionAttention(session: string, what: string, takesAnswers: boolean): string {
  const end = /[?!.]$/.test(what) ? '' : '.'
  const answer = takesAnswers ? `outpool answer ${session} or ` : ''
  return `it asks: ${what}${end} Answer with ${answer}outpool attach ${session}`
}
