/** When the windows of one account run out. Instants are milliseconds since the epoch. */
import type { Window } from '../account/account.js'
import { announcedReset, outdatedSince, windowLength } from '../account/windows.js'
import { estimateBurn, recentHours } from './burnRate.js'
import { type RunOut, runOut } from './runOut.js'
import { estimateSteadyBurn } from './steadyBurn.js'
import { hourlyBurn, hourMs, recentBurn, recentRate, type UsageRecord } from './usageRecord.js'

export interface WindowForecast extends RunOut {
  window: string
  resetsAt: number
}

/** Below this nothing is foreseen: one burst would be taken for the rule. */
export const leastKnownHours = 3
/** In a window that is not longer than this, in ms, what happens now matters more than the hour of the day. */
const longestSteady = 12 * hourMs
/** In the first minutes of a window, in hours, the share that is read says nothing of its rate. */
const leastBegun = 0.25

/** `limit`: the share from which on sessions leave the account. Windows that have reset since they were read are left out. */
export const accountForecast = (
  record: UsageRecord,
  windows: readonly Window[],
  limit: number,
  now: number,
): WindowForecast[] => windows.flatMap((window) => windowForecast(record, window, limit, now) ?? [])

function windowForecast(
  record: UsageRecord,
  window: Window,
  limit: number,
  now: number,
): WindowForecast | null {
  if (outdatedSince(window, 0, now) !== null) return null
  const length = windowLength(window.name)
  const resetsAt = announcedReset(window) ?? now + length
  const values = hourlyBurn(record, window.name, now)
  if (values.filter((value) => value !== null).length < leastKnownHours) return null
  const estimate =
    length > longestSteady
      ? estimateBurn(
          { firstHour: record.firstHour, values, recent: recentBurn(record, window.name, now, recentHours) },
          now,
          (resetsAt - now) / hourMs,
        )
      : estimateSteadyBurn({
          halfHour: recentRate(record, window.name, now, 0.5),
          hour: recentRate(record, window.name, now, 1),
          window: window.used / Math.max(leastBegun, (now - (resetsAt - length)) / hourMs),
        })
  return { window: window.name, resetsAt, ...runOut(estimate, limit - window.used, now, resetsAt) }
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
