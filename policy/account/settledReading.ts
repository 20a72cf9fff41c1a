/** What is left of a host's readings after its clock was set back. */
import type { AccountReading } from './account.js'
import { iso, toMs } from '../instants.js'

/** A reading and the look at it do not happen at one instant. Milliseconds. */
const slack = 60_000

/**
 * Without what lies ahead: it would outrank everything that is read until then, and disprove a wall that the account has just met. An
 * account that loses its windows so counts as not read, and is probed. `now`: ms since the epoch.
 */
export function settledReading(reading: AccountReading, now: number): AccountReading {
  const isAhead = (at: string | null): boolean => at !== null && toMs(at) > now + slack
  const { windows, walls, loginAt, probedAt } = reading
  const instants = [...windows.map(({ readAt }) => readAt), ...walls.map(({ at }) => at), loginAt, probedAt]
  if (!instants.some(isAhead)) return reading
  return {
    ...reading,
    windows: windows.filter(({ readAt }) => !isAhead(readAt)),
    walls: walls.map((wall) => (isAhead(wall.at) ? { ...wall, at: iso(now) } : wall)),
    loginAt: isAhead(loginAt) ? iso(now) : loginAt,
    probedAt: isAhead(probedAt) ? null : probedAt,
  }
}
