/** What stands in the input box. */
import { inputBox, isRule, plainLines, typedLines } from './screen.js'

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

/** A `!` at the line's beginning stays when the rest is deleted, and makes whatever comes next a shell command. */
export function readInputMode(screen: string): 'words' | 'shell' | null {
  const lines = plainLines(screen)
  if (inputBox(lines) === null) return null
  const top = lines.flatMap((line, i) => (isRule(line) ? [i] : [])).at(-2) ?? 0
  return lines[top + 1]?.startsWith('!') === true ? 'shell' : 'words'
}

export const exitShellModeKeys = ['BSpace'] as const

export const enterShellModeKeys = ['!'] as const

export const takesInput = (screen: string): boolean => inputBox(plainLines(screen)) !== null

/** Puts the draft aside whole, with pastes and pictures; the program brings it back once the next prompt was sent. */
export const stashKeys = ['C-s'] as const

/** Opens the draft in the person's editor, which for this launch is `editor.sh`. */
export const exportDraftKeys = ['C-g'] as const

/** To the line's beginning, and to its end: the cursor may stand anywhere. At an edge each takes the line break there. */
export const clearDraftKeys = ['C-u', 'C-k'] as const

/** Another draft put aside would take this one's place for good. The note stands on the line above the input box. */
export function hasStashedDraft(screen: string): boolean {
  const lines = plainLines(screen)
  const top = lines.flatMap((line, i) => (isRule(line) ? [i] : [])).at(-2) ?? 0
  return inputBox(lines) !== null && /(?:^| )draft stashed$/.test(lines[top - 1] ?? '')
}
