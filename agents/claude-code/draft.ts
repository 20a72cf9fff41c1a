/** What stands in the input box. */
import { inputBox, plainLines, typedLines } from './screen.js'

/** Hints that the program shows in an empty box, for captures that did not keep the colours by which hints are known. */
const hints = [
  /^Try "/,
  /^Resend your message to try again$/,
  /^Once fixed, resend your message$/,
  /^Press up to edit queued messages$/,
]

/** Takes a capture of the visible screen, best with its colours (`capture-pane -pe`). Null for an empty or missing box. */
export function readDraft(screen: string): string | null {
  const text = inputBox(typedLines(screen))?.join('\n').trim() ?? ''
  return text === '' || hints.some((hint) => hint.test(text)) ? null : text
}

export const takesInput = (screen: string): boolean => inputBox(plainLines(screen)) !== null

/** To the line's beginning, and to its end: the cursor may stand anywhere. At an edge each takes the line break there. */
export const clearKeys = ['C-u', 'C-k'] as const
