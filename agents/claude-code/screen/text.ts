/** What the program makes of a text: how to give it one that stays what it is, and how to know it again afterwards. */
import { createHash } from 'node:crypto'
import { stripVTControlCharacters } from 'node:util'

/** Alone on the input line, each of these ends the program (its own list, 2.1.330). */
const exitWords = new Set(['exit', 'quit', ':q', ':q!', ':wq', ':wq!'])

/**
 * A paste of at least four line breaks is held as one block, and nothing in such a block is a command. Blank lines make a
 * short text long enough.
 */
const blankLines = '\n\n\n\n'

/** Control characters other than a newline and a tab, and the escape sequences that they begin. */
const withoutControls = (text: string): string =>
  stripVTControlCharacters(text.replaceAll(/\r\n?/g, '\n')).replaceAll(/[^\P{Cc}\n\t]/gu, '')

/** Whether the program would run the text, or end, in place of telling it to the model. `!` counts only when it is pasted. */
export const isCommandLike = (text: string): boolean =>
  text.trimStart().startsWith('/') || exitWords.has(text.trim())

/** What to paste so that the model is told the text, whatever it begins or ends with. */
export function toWordsPaste(text: string): string {
  const words = withoutControls(text).trim()
  if (isCommandLike(words)) return `${words}${blankLines}`
  // `!` in the first column means a shell command, and a backslash before Enter means another line.
  return `${words.startsWith('!') ? ' ' : ''}${words}${words.endsWith('\\') ? ' ' : ''}`
}

/** What to paste so that the program runs its own command: one line. */
export const toCommandPaste = (text: string): string => withoutControls(text).replaceAll(/\s+/g, ' ').trim()

/** The envelope of a long paste, and the backslash that disarms one which a person typed. */
const envelope = /<\\?\/?pasted_content id="[^"]*">/g

/** A text that waits in the program's own queue, as it was before the program put long pastes into envelopes. */
export const unwrapPaste = (text: string): string =>
  text
    .replaceAll(/\n*<pasted_content id="[^"]*">\n/g, '')
    .replaceAll(/\n<\/pasted_content id="[^"]*">\n?/g, '')

/** The letters of a text alone: the program joins letters, turns tabs into blanks and drops what can't be seen. */
const lettersOf = (text: string): string =>
  withoutControls(text)
    .normalize('NFKC')
    .replaceAll(envelope, '')
    .replaceAll(/[\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Mn}\p{Z}\s\\]/gu, '')

/** Whether what stands in the input line can be the text, or the part of it that the line has room for. */
export const isDraftOf = (line: string, pasted: string): boolean =>
  hidesText(line) || lettersOf(pasted).includes(lettersOf(line))

/** The same for a text and for what the program makes of it. Tells nothing of the text, so that it can be kept. */
export const fingerprint = (text: string): string =>
  createHash('sha256').update(lettersOf(text)).digest('base64url')

/** Stands in the input line for what can't be read there. */
const placeholder = /\[(?:Pasted text #\d+(?: \+\d+ lines)?|Image #\d+|\.\.\.Truncated text #\d+[^\]]*)\]/
const hidesText = (draft: string): boolean => placeholder.test(draft)

/** A picture lives in the process that it was pasted into, and so does a paste that the program did not hand out. */
export function toPortableDraft(draft: string, mode: 'words' | 'shell'): string {
  const text = withoutControls(draft)
    .replaceAll(/\[Image #\d+\]/g, '(a picture that could not be taken along)')
    .replaceAll(new RegExp(placeholder, 'g'), '(a pasted text that could not be taken along)')
  return mode === 'words' && text.startsWith('!') ? ` ${text}` : text
}
