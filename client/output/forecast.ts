/** Forecasts of accounts, read from the files of this host, and as text. */
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import type { LiveFile } from '../../config/state/liveFile.js'
import { readUsage } from '../../config/state/usageFile.js'
import { moveThreshold } from '../../policy/account/windows.js'
import { accountForecast, firstToRunOut } from '../../policy/forecast/accountForecast.js'
import type { PoolAccount } from '../../policy/forecast/poolForecast.js'
import { emptyUsageRecord } from '../../policy/forecast/usageRecord.js'
import { iso } from '../../policy/instants.js'
import { formatLocalClock } from './times.js'

/** When the first window of an account runs out. `window` is null if too little is recorded. */
export interface AccountForecastRow {
  window: string | null
  /** Null if it more likely lasts until its reset. */
  runsOutAt: string | null
  /** The 80 % interval; `to` is null if the reset may well come first, both are null if it most likely does. */
  from: string | null
  to: string | null
  resetsAt: string | null
}

/** What is recorded and read of the pool's accounts, in the order of the configuration. */
export function pastUsage(
  home: Home,
  config: Config,
  live: LiveFile | null,
): (PoolAccount & { name: string })[] {
  return config.pool.accounts.map(({ name, ceiling }) => ({
    name,
    record: readUsage(home, name) ?? emptyUsageRecord(name),
    windows: live?.accounts.find(({ account }) => account === name)?.windows ?? [],
    limit: moveThreshold(config.pool.moveAt, ceiling),
  }))
}

export function toForecastRow({ record, windows, limit }: PoolAccount, now: number): AccountForecastRow {
  const first = firstToRunOut(accountForecast(record, windows, limit, now))
  const instant = (at: number | null): string | null => (at === null ? null : iso(at))
  if (first === null) return { window: null, runsOutAt: null, from: null, to: null, resetsAt: null }
  const { window, at, from, to, resetsAt } = first
  return { window, runsOutAt: instant(at), from: instant(from), to: instant(to), resetsAt: instant(resetsAt) }
}

/** By account. Needs no engine: everything is read from the files of this host. */
export const forecastsOf = (
  home: Home,
  config: Config,
  live: LiveFile | null,
  now: Date,
): Map<string, AccountForecastRow> =>
  new Map(
    pastUsage(home, config, live).map((account) => [account.name, toForecastRow(account, now.getTime())]),
  )

/** `14:20`, or `lasts` until the next reset; `-` while too little is recorded. */
export function shortForecast(row: AccountForecastRow | undefined, now: Date): string {
  if (row === undefined || row.window === null) return '-'
  return row.runsOutAt === null ? 'lasts' : `~${formatLocalClock(row.runsOutAt, now)}`
}

/** `runs out at 14:20 (between 13:50 and 15:10)`, or `lasts until its reset` */
export function forecastText(
  { window, runsOutAt, from, to, resetsAt }: AccountForecastRow,
  now: Date,
): string {
  if (window === null) return 'too little is recorded'
  const reset = resetsAt === null ? '' : ` at ${formatLocalClock(resetsAt, now)}`
  if (runsOutAt === null)
    return from === null
      ? `lasts until its reset${reset}`
      : `lasts until its reset${reset}, but may run out from ${formatLocalClock(from, now)} on`
  if (from === null) return `runs out at ${formatLocalClock(runsOutAt, now)}`
  const interval =
    to === null
      ? `not before ${formatLocalClock(from, now)}`
      : `between ${formatLocalClock(from, now)} and ${formatLocalClock(to, now)}`
  return `runs out at ${formatLocalClock(runsOutAt, now)} (${interval})`
}
