/** How the terminal is drawn on, and texts that fit it. */
import type { Colors } from 'picocolors/types.js'
import { printableInColor } from '../../policy/printable.js'
import { columnsOf, fit, inAscii, oneLine } from '../output/terminal.js'

export interface TerminalStyle {
  colors: Colors
  /** Whether the terminal shows nothing but ASCII. */
  isAscii: boolean
}

/** The line as it goes to the terminal. What it cannot show is a question mark of the same width. */
export function drawn(line: string, { isAscii }: TerminalStyle): string {
  const clean = printableInColor(line)
  if (!isAscii) return clean
  return inAscii(clean).replaceAll(/[^\u0000-\u007f]+/gu, (foreign) => '?'.repeat(columnsOf(foreign)))
}

/** The text in lines of so many columns, broken between words if possible; what needs more than `most` lines is cut. */
export function wrapped(text: string, columns: number, most: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of oneLine(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line === '' || columnsOf(longer) <= columns) line = longer
    else {
      lines.push(line)
      line = word
    }
  }
  lines.push(line)
  const shown = lines.slice(0, most - 1)
  const rest = lines.slice(most - 1)
  return [...shown, ...(rest.length === 0 ? [] : [rest.join(' ')])].map((one) => fit(one, columns))
}
