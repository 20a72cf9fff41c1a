/** Cells of tables that show accounts: what state each is in, and what is used of its windows. */
import type { Colors } from 'picocolors/types.js'
import type { AccountState } from '../../policy/account/account.js'
import type { AccountRow, WindowRow } from '../../policy/account/accountRow.js'
import type { Column } from './table.js'
import { formatLocalClock } from './times.js'

/** What state each account is in, and how many sessions it has. */
export const stateAndSessions = (colors: Colors, now: Date): Column<AccountRow>[] => [
  {
    title: 'STATE',
    text: (row) => accountStateText(row, now),
    paint: (text, row) => paintState(text, row.state, colors),
    shrink: 'end',
    least: 10,
  },
  {
    title: 'SESSIONS',
    text: ({ role, leases }) => (role === 'reserved' ? '-' : String(leases.length)),
    align: 'right',
  },
]

/** When the newest of its windows was read, as an ISO instant; null if none was. */
export const newestReading = ({ windows }: AccountRow): string | null =>
  windows
    .map(({ readAt }) => readAt)
    .sort()
    .at(-1) ?? null

export function accountStateText({ state, walledUntil, draining, leases }: AccountRow, now: Date): string {
  if (draining === true) return leases.length === 0 ? 'drained' : 'draining'
  return state === 'walled' && walledUntil !== null
    ? `walled until ${formatLocalClock(walledUntil, now)}`
    : state
}

/** `5h 41% until 21:50`; a wall refutes the share that was read before it. */
export function windowText({ name, used, resetsAt, walled }: WindowRow, now: Date): string {
  const until =
    resetsAt === null || Date.parse(resetsAt) <= now.getTime()
      ? ''
      : ` until ${formatLocalClock(resetsAt, now)}`
  return `${windowName(name)} ${shareText({ used, walled })}${until}`
}

/** `41%`, or `walled`. */
export const shareText = ({ used, walled }: Pick<WindowRow, 'used' | 'walled'>): string =>
  walled ? 'walled' : `${Math.round(used * 100)}%`

/** `███░░░░░`: what is used, in so many columns. */
export function bar({ used, walled }: WindowRow, columns = 8): string {
  const full = walled ? columns : Math.max(0, Math.min(columns, Math.round(used * columns)))
  return `${'█'.repeat(full)}${'░'.repeat(columns - full)}`
}

/** `5h`, `7d`, `7d opus` */
export const windowName = (window: string): string =>
  window
    .replace(/^five_hour/, '5h')
    .replace(/^seven_day/, '7d')
    .replace('_', ' ')

function paintState(text: string, state: AccountState, colors: Colors): string {
  switch (state) {
    case 'ready':
      return colors.green(text)
    case 'near-limit':
    case 'unproven':
      return colors.yellow(text)
    case 'walled':
    case 'logged-out':
    case 'duplicate':
      return colors.red(text)
    case 'disabled':
      return colors.dim(text)
  }
}
