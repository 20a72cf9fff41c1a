/** The terminal's width, and texts that are safe to print on it. */
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import { colorsFor } from '../../config/colors.js'
import { printable, printableInColor } from '../../policy/printable.js'

/** Columns; Infinity for a pipe, which gets whole lines unless COLUMNS is set. */
export function widthOf(stream: WriteStream, env: NodeJS.ProcessEnv = process.env): number {
  if (stream.isTTY && stream.columns > 0) return stream.columns
  const wanted = Number(env['COLUMNS'])
  return Number.isInteger(wanted) && wanted > 0 ? wanted : Infinity
}

/** Whether the person's terminal shows more than ASCII: by the locale, as POSIX says which variable decides. */
function isUtf8({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '')
  return /utf-?8/i.test(locale ?? '')
}

/** What we draw with, in ASCII. Each takes one column, as before. */
const asciiFor: Readonly<Record<string, string>> = {
  ...{ '█': '#', '░': '.', '…': '~', '→': '>', '·': '-' },
}

/** Whether it is a terminal that shows nothing but ASCII. What goes into a pipe or a file stays as it is. */
export const showsAsciiOnly = (
  stream: Pick<WriteStream, 'isTTY'>,
  env: NodeJS.ProcessEnv = process.env,
): boolean => stream.isTTY && !isUtf8(env)

/** The text with what we draw in ASCII. */
export const inAscii = (text: string): string => text.replace(/[█░…→·]/g, (drawn) => asciiFor[drawn] ?? drawn)

/** The text as the terminal can show it. */
export const drawable = (
  text: string,
  stream: Pick<WriteStream, 'isTTY'>,
  env: NodeJS.ProcessEnv = process.env,
): string => (showsAsciiOnly(stream, env) ? inAscii(text) : text)

/** Nearly every text is of these, and needs no closer look. */
const isPlainAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

/** One line without control characters: texts of agents and file names may contain anything. */
export const oneLine = (text: string): string =>
  isPlainAscii(text) ? text : printable(text.replaceAll(/[\r\n\t\p{Zl}\p{Zp}]+/gu, ' '))

/**
 * Prints a text, of which only our own colours reach the terminal, and these only if it gets colours. Every command prints
 * through this.
 */
export function writeText(stream: WriteStream, text: string): void {
  stream.write(colorsFor(stream).isColorSupported ? printableInColor(text) : printable(text))
}

/** Made when a text needs it: that takes as long as a table of hundreds of rows. */
let segmenter: Intl.Segmenter | null = null
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u

/** Columns that a text takes on a terminal; colour codes take none. */
export function columnsOf(text: string): number {
  if (isPlainAscii(text)) return text.length
  const plain = stripVTControlCharacters(text)
  if (isPlainAscii(plain)) return plain.length
  let sum = 0
  for (const character of charactersOf(plain)) sum += characterWidth(character)
  return sum
}

const characterWidth = (character: string): number =>
  /^\p{M}+$/u.test(character) ? 0 : wide.test(character) ? 2 : 1

/** To find the end of a very long character, the library looks at it again and again: such a one is taken for several. Units of UTF-16. */
const longestSegmented = 512

function* charactersOf(text: string): Generator<string> {
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = from + longestSegmented
    if (/[\ud800-\udbff]/.test(text.charAt(to - 1))) to += 1
    segmenter ??= new Intl.Segmenter()
    for (const { segment } of segmenter.segment(text.slice(from, to))) yield segment
  }
}

/** Fits a plain text into so many columns, with an ellipsis for what is cut. */
export function fit(text: string, columns: number, where: 'start' | 'end' | 'middle' = 'end'): string {
  if (columnsOf(text) <= columns) return text
  if (columns <= 1) return columns === 1 ? '…' : ''
  const headColumns = { start: 0, middle: Math.floor((columns - 1) / 2), end: columns - 1 }[where]
  const head = takeColumns(charactersOf(text), headColumns)
  const tail =
    where === 'end' ? '' : takeColumns(lastCharacters(text, columns), columns - 1 - columnsOf(head), 'back')
  return `${head}…${tail}`
}

/** More than enough for so many columns, the last one first. */
const lastCharacters = (text: string, columns: number): string[] =>
  [...charactersOf(text.slice(-longestSegmented * columns))].reverse()

function takeColumns(
  characters: Iterable<string>,
  columns: number,
  from: 'front' | 'back' = 'front',
): string {
  let left = columns
  const taken: string[] = []
  for (const character of characters) {
    left -= characterWidth(character)
    if (left < 0) break
    taken.push(character)
  }
  return (from === 'front' ? taken : taken.toReversed()).join('')
}
