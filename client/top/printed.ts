/** The fleet as text, for a pipe or a file. */
import { accountLines } from './accountLines.js'
import { arrange } from './arrange.js'
import type { Fleet } from './fleet.js'
import type { Look } from './look.js'
import { sessionTable } from './sessionLines.js'
import { attentionLines, headline, problemLines } from './summary.js'

export function printed(fleet: Fleet, columns: number, look: Look): string {
  const sessions = arrange(fleet.sessions, { sort: 'attention', reversed: false, filter: '' })
  return [
    headline(fleet, columns, look),
    ...problemLines(fleet, columns, look),
    '',
    ...accountLines(fleet, columns, Infinity, look),
    '',
    sessionTable(sessions, fleet.at, columns, look),
    ...attentionLines(sessions, columns, Infinity, look),
  ].join('\n')
}
