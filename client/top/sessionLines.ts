/** The list of sessions. Only the rows that fit are laid out. */
import { columnsFor } from '../commands/ls.js'
import { type Column, renderTable } from '../output/table.js'
import { fit } from '../output/terminal.js'
import { coarseSpan } from '../output/times.js'
import type { FleetSession } from './fleet.js'
import type { TerminalStyle } from './terminalStyle.js'

export interface SessionLines {
  lines: string[]
  /** Which of them is the chosen session's; null if none is. */
  chosen: number | null
}

const marked = '> '
const unmarked = '  '

/** A title and as many rows as there is room for, the chosen one among them. */
export function sessionLines(
  sessions: readonly FleetSession[],
  { chosen, at, columns, room }: { chosen: string | null; at: Date; columns: number; room: number },
  style: TerminalStyle,
): SessionLines {
  const { colors } = style
  const index = sessions.findIndex(({ name }) => name === chosen)
  const shown = sessions.length < room ? sessions.length : Math.max(1, room - 2)
  const from = Math.max(0, Math.min(index - Math.floor(shown / 2), sessions.length - shown))
  const to = from + shown
  const width = Math.max(1, columns - marked.length)
  const table = sessionTable(sessions, at, width, style, { from, to }).split('\n')
  const row = index < from || index >= to ? null : index - from + 1
  const lines = table.map((line, place) => `${place === row ? marked : unmarked}${line}`)
  const left = [
    from > 0 ? `${from} more above` : null,
    to < sessions.length ? `${sessions.length - to} more below` : null,
  ].filter((part) => part !== null)
  const more = left.length === 0 ? [] : [colors.dim(fit(`${unmarked}… ${left.join(', ')}`, columns))]
  return { lines: [...lines, ...more].slice(0, Math.max(room, 0)), chosen: row }
}

/** The columns of `outpool ls`, and the age. */
export function sessionTable(
  sessions: readonly FleetSession[],
  at: Date,
  width: number,
  { colors }: TerminalStyle,
  only?: { from: number; to: number },
): string {
  const ofList: Column<FleetSession>[] = columnsFor([...sessions], colors, at)
  const age: Column<FleetSession> = {
    title: 'AGE',
    text: ({ startedAt }) => coarseSpan(at.getTime() - Date.parse(startedAt)),
    optional: true,
  }
  return renderTable(sessions, [...ofList.slice(0, -1), age, ...ofList.slice(-1)], width, colors, only)
}
