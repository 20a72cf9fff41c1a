/** The help of the screen: every key and what it does. */
import { fit } from '../output/terminal.js'
import { keyHelp, keyRemark } from './keys.js'
import { type TerminalStyle, wrapped } from './terminalStyle.js'

export function helpLines(columns: number, room: number, { colors }: TerminalStyle): string[] {
  const width = Math.max(...keyHelp.map(({ keys }) => keys.length))
  const textColumns = Math.max(10, columns - width - 2)
  const keys = keyHelp.flatMap(({ keys, does }) =>
    wrapped(does, textColumns, 3).map((line, index) =>
      index === 0 ? `${colors.bold(keys.padEnd(width))}  ${line}` : `${' '.repeat(width + 2)}${line}`,
    ),
  )
  const isNarrow = columns < width + 20
  const shown = isNarrow ? keyHelp.map(({ keys, does }) => fit(`${keys}: ${does}`, columns)) : keys
  return [
    colors.bold(fit('outpool top: keys', columns)),
    '',
    ...shown,
    '',
    ...wrapped(keyRemark, columns, 3),
  ].slice(0, Math.max(0, room))
}
