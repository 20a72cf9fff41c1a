/** Reads the input box. */
import { inputBox, plainLines, typedRows } from './screen.js'
import { hasPlaceholder } from './text.js'

/** Hints that the program shows in an empty box, for captures without the colours that mark hints. */
const hints = [
  /^Try "/,
  /^Resend your message to try again$/,
  /^Once fixed, resend your message$/,
  /^Press up to edit queued messages$/,
]

/**
 * Takes a capture of the visible screen, best with its colours (`capture-pane -pe`). Null for an empty or missing box. Of a draft that
 * is longer than the box, the lines that it shows.
 */
export function readDraft(screen: string): string | null {
  const text = typedRows(screen)?.join('\n').trim() ?? ''
  return text === '' || hints.some((hint) => hint.test(text)) ? null : text
}

/** Whether the screen shows all of the draft: no line is scrolled away, and no paste or picture is a placeholder. */
export function showsWholeDraft(screen: string): boolean {
  const box = inputBox(plainLines(screen))
  return box !== null && !box.isCut && !box.isHistory && !hasPlaceholder(readDraft(screen) ?? '')
}

/** Whether the box shows an earlier prompt, in place of the draft. */
export const showsEarlierPrompt = (screen: string): boolean =>
  inputBox(plainLines(screen))?.isHistory === true

/** To the next line, and from the last line to the next prompt; below the newest one is the draft. */
export const leaveHistoryKeys = ['Down'] as const

/** A `!` at the beginning of the line remains when the rest is deleted, and turns the next text into a shell command. */
export function readInputMode(screen: string): 'words' | 'shell' | null {
  const lines = plainLines(screen)
  const box = inputBox(lines)
  if (box === null) return null
  return lines[box.top + 1]?.startsWith('!') === true ? 'shell' : 'words'
}

export const exitShellModeKeys = ['BSpace'] as const

export const enterShellModeKeys = ['!'] as const

export const takesInput = (screen: string): boolean => inputBox(plainLines(screen)) !== null

/** Stashes the whole draft, with pastes and pictures; the program restores it after the next prompt. */
export const stashKeys = ['C-s'] as const

/** Opens the draft in the person's editor, which for this launch is `editor.sh`. */
export const exportDraftKeys = ['C-g'] as const

/** Delete to the beginning and to the end of the line, wherever the cursor is. At an edge each deletes the line break. */
export const clearDraftKeys = ['C-u', 'C-k'] as const

/** Stashing another draft would replace this one for good. The program shows a note on the line above the input box. */
export function hasStashedDraft(screen: string): boolean {
  const lines = plainLines(screen)
  const box = inputBox(lines)
  return box !== null && /(?:^| )draft stashed$/.test(lines[box.top - 1] ?? '')
}
