/** How the program rewrites texts: how to give it one that stays unchanged, and how to recognise it afterwards. */
import { createHash } from 'node:crypto'
import { stripVTControlCharacters } from 'node:util'

/** Each of these words alone on the input line ends the program (its own list, 2.1.330). */
const exitWords = new Set(['exit', 'quit', ':q', ':q!', ':wq', ':wq!'])

/**
 * A paste with at least four line breaks becomes one block, in which nothing is a command. Blank lines make a short text long
 * enough.
 */
const blankLines = '\n\n\n\n'

/** Control characters other than a newline and a tab, and the escape sequences that they begin. */
const withoutControls = (text: string): string =>
  stripVTControlCharacters(text.replaceAll(/\r\n?/g, '\n')).replaceAll(/[^\P{Cc}\n\t]/gu, '')

/** Whether the program would run the text, or end, instead of giving it to the model. `!` counts only in a paste. */
export const isCommandLike = (text: string): boolean =>
  text.trimStart().startsWith('/') || exitWords.has(text.trim())

/** What to paste so that the model gets the text, whatever it begins or ends with. */
export function toWordsPaste(text: string): string {
  const words = withoutControls(text).trim()
  if (isCommandLike(words)) return `${words}${blankLines}`
  // `!` in the first column means a shell command, and a backslash before Enter means another line.
  return `${words.startsWith('!') ? ' ' : ''}${words}${words.endsWith('\\') ? ' ' : ''}`
}

/** What to paste so that the program runs its own command: one line. */
export const toCommandPaste = (text: string): string => withoutControls(text).replaceAll(/\s+/g, ' ').trim()

/** The tags around a long paste, or such tags with the backslash that marks them as typed by a person. */
const envelope = /<\\?\/?pasted_content id="[^"]*">/g

/** A text in the program's queue without the tags that the program puts around long pastes. */
export const unwrapPaste = (text: string): string =>
  text
    .replaceAll(/(?<!\n)\n*<pasted_content id="[^"]*">\n/g, '')
    .replaceAll(/\n<\/pasted_content id="[^"]*">\n?/g, '')

/** Only the letters of a text: the program composes letters, turns tabs into spaces and drops invisible characters. */
const lettersOf = (text: string): string =>
  withoutControls(text)
    .normalize('NFKC')
    .replaceAll(envelope, '')
    .replaceAll(/[\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Mn}\p{Z}\s\\]/gu, '')

/** Whether the content of the input line may be the text, or the part of it that fits on the screen. */
export const isDraftOf = (line: string, pasted: string): boolean =>
  hasPlaceholder(line) || lettersOf(pasted).includes(lettersOf(line))

/** Equal for a text and for what the program makes of it. Reveals nothing of the text, so it can be stored. */
export const fingerprint = (text: string): string =>
  createHash('sha256').update(lettersOf(text)).digest('base64url')

/** Shown in the input line in place of content that can't be read there. */
const placeholder = /\[(?:Pasted text #\d+(?: \+\d+ lines)?|Image #\d+|\.\.\.Truncated text #\d+[^[\]]*)\]/
export const hasPlaceholder = (draft: string): boolean => placeholder.test(draft)

/** Pictures, and pastes that the program did not give to its editor, exist only in the process into which they were pasted. */
export function toPortableDraft(draft: string, mode: 'words' | 'shell'): string {
  const text = withoutControls(draft)
    .replaceAll(/\[Image #\d+\]/g, '(a picture that could not be carried over)')
    .replaceAll(new RegExp(placeholder, 'g'), '(a pasted text that could not be carried over)')
  return mode === 'words' && text.startsWith('!') ? ` ${text}` : text
}
