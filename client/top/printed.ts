/** The fleet as text, for a pipe or a file. */
import { accountLines } from './accountLines.js'
import { arrange } from './arrange.js'
import type { Fleet } from './fleet.js'
import type { TerminalStyle } from './terminalStyle.js'
import { sessionTable } from './sessionLines.js'
import { attentionLines, headline, problemLines } from './summary.js'

export function printed(fleet: Fleet, columns: number, style: TerminalStyle): string {
  const sessions = arrange(fleet.sessions, { sort: 'attention', reversed: false, filter: '' })
  return [
    headline(fleet, columns, style),
    ...problemLines(fleet, columns, style),
    '',
    ...accountLines(fleet, columns, Infinity, style),
    '',
    sessionTable(sessions, fleet.at, columns, style),
    ...attentionLines(sessions, columns, Infinity, style),
  ].join('\n')
}
