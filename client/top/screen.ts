/** The screen of `outpool top`: pure functions, so that tests can check a screen. */
import type { Colors } from 'picocolors/types.js'
import type { AccountRow } from '../../policy/account/accountRow.js'
import { type Phase, type SessionRow, phases } from '../../policy/session/session.js'
import { columnsFor as accountColumns } from '../commands/accounts.js'
import { columnsFor as sessionColumns } from '../commands/ls.js'
import type { AccountForecastRow } from '../output/forecast.js'
import { renderTable } from '../output/table.js'
import { fit, oneLine } from '../output/terminal.js'

/** The state of the fleet at one instant. */
export interface Fleet {
  sessions: SessionRow[]
  accounts: AccountRow[]
  /** By account. */
  forecasts: ReadonlyMap<string, AccountForecastRow>
  /** When these were made, in ms since the epoch. */
  foreseenAt: number
  /** Why the fleet is not watched or cannot be read, for a person; empty while all is well. */
  problems: string[]
  at: Date
}

export interface View {
  columns: number
  lines: number
  colors: Colors
  /** Name of the chosen session, or null. */
  chosen: string | null
}

/** Sessions that need a person come first, then active ones, then the others. */
const order: Readonly<Record<Phase, number>> = {
  ...{ waiting: 0, rescuing: 1, starting: 2, parked: 3, working: 4, idle: 5, paused: 6, stopped: 7 },
}

export const inOrder = (sessions: readonly SessionRow[]): SessionRow[] =>
  [...sessions].sort((a, b) => rankOf(a) - rankOf(b) || (a.name < b.name ? -1 : 1))

const rankOf = (session: SessionRow): number => {
  const state = countsAs(session)
  return state === 'unheard' ? order.waiting : order[state]
}

/** The screen's lines, as many as the terminal has at most, none longer than it is wide. */
export function screen(fleet: Fleet, view: View): string[] {
  const { columns, lines, colors } = view
  const sessions = inOrder(fleet.sessions)
  const accounts = renderTable(
    fleet.accounts,
    accountColumns(colors, fleet.at, fleet.forecasts),
    columns,
    colors,
  ).split('\n')
  const head = [
    colors.bold(fit(headline(fleet), columns)),
    ...fleet.problems.map((problem) => colors.yellow(fit(`! ${oneLine(problem)}`, columns))),
    '',
    ...accounts,
    '',
  ]
  const foot = [
    ...attentionLines(sessions, view),
    colors.dim(fit('arrows choose · enter attaches · q quits', columns)),
  ]
  const room = Math.max(1, lines - head.length - foot.length)
  return [...head, ...sessionLines(sessions, view, fleet.at, room), ...foot].slice(0, lines)
}

function headline({ sessions, at }: Fleet): string {
  const counts = [...phases, 'unheard' as const]
    .map((state) => ({ state, count: sessions.filter((session) => countsAs(session) === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`)
  const time = at.toLocaleTimeString('en-GB')
  return `outpool ${time}   ${counts.length === 0 ? 'no sessions' : counts.join(' · ')}`
}

/** What a session does whose host is silent is not known. */
const countsAs = ({ phase, silentSince }: SessionRow): Phase | 'unheard' =>
  silentSince === undefined ? phase : 'unheard'

/** The table's title and as many rows as fit, including the chosen one. */
function sessionLines(sessions: SessionRow[], view: View, at: Date, room: number): string[] {
  const { columns, colors, chosen } = view
  const [title = '', ...rows] = renderTable(
    sessions,
    sessionColumns(sessions, colors, at),
    columns,
    colors,
  ).split('\n')
  const index = sessions.findIndex(({ name }) => name === chosen)
  const painted = rows.map((row, at) => (at === index ? colors.inverse(row) : row))
  if (rows.length < room) return [title, ...painted]
  const shown = Math.max(1, room - 2)
  const from = Math.max(0, Math.min(index - Math.floor(shown / 2), rows.length - shown))
  const more = colors.dim(`… ${rows.length - shown} more`)
  return [title, ...painted.slice(from, from + shown), more]
}

/** The most sentences for a person that are shown, whatever the number of sessions. */
const askingMax = 5

function attentionLines(sessions: SessionRow[], { columns, colors }: View): string[] {
  return sessions
    .filter(({ attention, phase }) => attention !== null && phase !== 'stopped')
    .slice(0, askingMax)
    .map(({ name, attention }) => colors.yellow(fit(`! ${name}: ${oneLine(attention ?? '')}`, columns)))
}
