/** When the windows of one account run out. Instants are milliseconds since the epoch. */
import type { Window } from '../account/account.js'
import { announcedReset, outdatedSince, windowLength } from '../account/windows.js'
import { estimateBurn, recentHours } from './burnRate.js'
import { type RunOut, runOut } from './runOut.js'
import { hourlyBurn, hourMs, recentBurn, type UsageRecord } from './usageRecord.js'

export interface WindowForecast extends RunOut {
  window: string
  resetsAt: number
}

/** Below this nothing is foreseen: one burst would be taken for the rule. */
const leastKnownHours = 3

/** `limit`: the share from which on sessions leave the account. Windows that have reset since they were read are left out. */
export function accountForecast(
  record: UsageRecord,
  windows: readonly Window[],
  limit: number,
  now: number,
): WindowForecast[] {
  return windows.flatMap((window) => {
    if (outdatedSince(window, 0, now) !== null) return []
    const resetsAt = announcedReset(window) ?? now + windowLength(window.name)
    const values = hourlyBurn(record, window.name, now)
    if (values.filter((value) => value !== null).length < leastKnownHours) return []
    const recent = recentBurn(record, window.name, now, recentHours)
    const series = { firstHour: record.firstHour, values, recent }
    const estimate = estimateBurn(series, now, (resetsAt - now) / hourMs)
    return [{ window: window.name, resetsAt, ...runOut(estimate, limit - window.used, now, resetsAt) }]
  })
}

/** The window that decides how long an account lasts: the first to run out, else the one that is most likely to. */
export function firstToRunOut(forecasts: readonly WindowForecast[]): WindowForecast | null {
  const before = (a: WindowForecast, b: WindowForecast): boolean =>
    (a.at ?? Infinity) < (b.at ?? Infinity) || (a.at === b.at && a.lasts < b.lasts)
  return forecasts.reduce<WindowForecast | null>(
    (first, one) => (first === null || before(one, first) ? one : first),
    null,
  )
}
