/** A text that a person is typing, and where the cursor is in it. */
import { printable } from '../../policy/printable.js'
import { columnsOf, fit, oneLine } from '../output/terminal.js'

export interface LineInput {
  text: string
  /** In units of UTF-16, always between two characters. */
  cursor: number
}

export const emptyInput: LineInput = { text: '', cursor: 0 }

const segmenter = new Intl.Segmenter()
const lengthOfLast = (text: string): number => [...segmenter.segment(text)].at(-1)?.segment.length ?? 0
/** Longer than any character that is typed, so that no key has to search a long text. Units of UTF-16. */
const near = 64
const stepBack = (text: string): number => lengthOfLast(text.slice(-near))
const stepOn = (text: string): number =>
  segmenter.segment(text.slice(0, near))[Symbol.iterator]().next().value?.segment.length ?? 0

/** Line breaks stay; other control characters are left out. */
export function insert({ text, cursor }: LineInput, added: string): LineInput {
  const clean = printable(added.replaceAll(/\r\n?/g, '\n'))
  return { text: text.slice(0, cursor) + clean + text.slice(cursor), cursor: cursor + clean.length }
}

export function edit(input: LineInput, key: 'left' | 'right' | 'home' | 'end' | 'backspace'): LineInput {
  const { text, cursor } = input
  const [before, after] = [text.slice(0, cursor), text.slice(cursor)]
  switch (key) {
    case 'left':
      return { text, cursor: cursor - stepBack(before) }
    case 'right':
      return { text, cursor: cursor + stepOn(after) }
    case 'home':
      return { text, cursor: 0 }
    case 'end':
      return { text, cursor: text.length }
    case 'backspace': {
      const left = before.slice(0, before.length - stepBack(before))
      return { text: left + after, cursor: left.length }
    }
  }
}

/** In so many columns, with the cursor as `_`; what does not fit is left out at both ends. */
export function shownInput({ text, cursor }: LineInput, columns: number): string {
  const before = fit(oneLine(text.slice(0, cursor)), Math.max(0, columns - 1), 'start')
  const after = fit(oneLine(text.slice(cursor)), Math.max(0, columns - 1 - columnsOf(before)))
  return `${before}_${after}`
}
