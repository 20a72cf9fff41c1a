/** The table of the accounts: what is used of each budget, when it is reset, and when it is expected to run out. */
import type { AccountRow, WindowRow } from '../../policy/account/accountRow.js'
import { bar, newestReading, shareText, stateAndSessions, windowName } from '../output/accountCells.js'
import { shortForecast } from '../output/forecast.js'
import { type Column, renderTable } from '../output/table.js'
import { coarseSpan } from '../output/times.js'
import type { Fleet } from './fleet.js'
import type { TerminalStyle } from './terminalStyle.js'

const ordinary = ['five_hour', 'seven_day']
const wideScreen = 160
/** From here on a budget is shown as scarce. */
const scarceFrom = 0.8

/** As many lines as there is room for, with the number of the accounts that are left out. */
export function accountLines(fleet: Fleet, columns: number, room: number, style: TerminalStyle): string[] {
  const { accounts } = fleet
  if (room < 2 || accounts.length === 0) return []
  const fitting = accounts.length < room ? accounts.length : room - 2
  const table = renderTable(accounts, columnsFor(fleet, columns, style), columns, style.colors, {
    from: 0,
    to: fitting,
  })
  const left = accounts.length - fitting
  return [...table.split('\n'), ...(left === 0 ? [] : [style.colors.dim(`… ${left} more accounts`)])]
}

/** Numbers come before the bars: a narrow terminal shows only what fits. */
function columnsFor(fleet: Fleet, columns: number, { colors }: TerminalStyle): Column<AccountRow>[] {
  const { accounts, forecasts, at } = fleet
  const known = new Set(accounts.flatMap(({ windows }) => windows.map(({ name }) => name)))
  const usual = ordinary.filter((name) => known.has(name))
  const others = [...known].filter((name) => !ordinary.includes(name)).sort()
  const cells = columns >= wideScreen ? 16 : 8
  const numbers = (name: string): Column<AccountRow>[] => [
    {
      title: windowName(name).toUpperCase(),
      text: (row) => cell(row, name, shareText),
      paint: (text, row) => paintShare(text, windowOf(row, name), colors),
      align: 'right',
    },
    { title: 'RESETS', text: (row) => cell(row, name, ({ resetsAt }) => resetText(resetsAt, at)) },
  ]
  return [
    {
      title: 'ACCOUNT',
      text: ({ name, role }) => (role === 'pool' ? name : `${name} (${role})`),
      paint: (text) => colors.bold(text),
      shrink: 'end',
    },
    ...stateAndSessions(colors, at),
    ...usual.flatMap(numbers),
    { title: 'RUNS OUT', text: ({ name }) => shortForecast(forecasts.get(name), at) },
    ...others.flatMap(numbers),
    ...[...usual, ...others].map((name) => ({
      title: `${windowName(name).toUpperCase()} USED`,
      text: (row: AccountRow) => cell(row, name, (window) => bar(window, cells)),
      optional: true as const,
    })),
    { title: 'READ', text: (row) => readText(row, at), optional: true },
  ]
}

const windowOf = ({ windows }: AccountRow, name: string): WindowRow | undefined =>
  windows.find((window) => window.name === name)

function cell(row: AccountRow, name: string, text: (window: WindowRow) => string): string {
  const window = windowOf(row, name)
  return window === undefined ? '-' : text(window)
}

/** `in 2 h`; `-` if it is not known, or past. */
function resetText(resetsAt: string | null, now: Date): string {
  const ms = resetsAt === null ? 0 : Date.parse(resetsAt) - now.getTime()
  return ms <= 0 ? '-' : `in ${coarseSpan(ms)}`
}

function paintShare(text: string, window: WindowRow | undefined, colors: TerminalStyle['colors']): string {
  if (window === undefined) return text
  if (window.walled) return colors.red(text)
  return window.used >= scarceFrom ? colors.yellow(text) : text
}

/** How old the newest reading is. */
function readText(row: AccountRow, now: Date): string {
  const newest = newestReading(row)
  return newest === null ? 'never' : `${coarseSpan(now.getTime() - Date.parse(newest))} ago`
}
