/** How a reading, a wall, a login or a failure changes the record of one account. */
import type { AccountReading, AccountSpec, Login, Timing, Window } from './account.js'
import { backoff } from '../backoff.js'
import type { AccountRecord } from '../pool/poolState.js'
import { iso, toMs } from '../instants.js'
import { mergePages } from '../session/startPages.js'
import { pruneWalls, mergeWall, wallBinds, currentWalls } from './walls.js'
import { accountWindows, bindsModel, lastRead, mergeWindows, outdatedSince } from './windows.js'

const hour = 3_600_000

export const newRecord = (spec: AccountSpec): AccountRecord => ({
  ...spec,
  windows: [],
  walls: [],
  login: 'unknown',
  loginAt: null,
  identity: null,
  probedAt: null,
  leases: [],
  trial: null,
  restUntil: null,
  failures: 0,
  failedAt: null,
  recentProbes: [],
  probingSince: null,
  removed: false,
})

/** A host's clock may be ahead: data from the future would outrank everything that is read until then. */
const noLaterThan = (instant: string, now: number): string => (toMs(instant) > now ? iso(now) : instant)

export function applyReading(
  record: AccountRecord,
  reading: AccountReading,
  timing: Timing,
  now: number,
): AccountRecord {
  const windows = reading.windows.map((window) => ({ ...window, readAt: noLaterThan(window.readAt, now) }))
  let next = adoptIdentity(record, reading.identity)
  next = applyLogin(
    next,
    reading.login,
    reading.loginAt === null ? null : noLaterThan(reading.loginAt, now),
    timing,
    now,
  )
  next = { ...next, windows: mergeWindows(dropEnded(next.windows, windows, timing, now), windows) }
  let walls = next.walls
  for (const wall of reading.walls)
    walls = mergeWall(walls, { ...wall, at: noLaterThan(wall.at, now) }, next.windows)
  next = { ...next, walls: pruneWalls(walls, next.windows, now) }
  const pages = mergePages(next.pages, reading.pages)
  if (pages !== undefined) next = { ...next, pages }
  return noteProbe(endTrial(endFailures(next), timing, now), reading.probedAt, now)
}

/** Budgets belong to a login: those of an earlier login say nothing about the new one. */
function adoptIdentity(record: AccountRecord, identity: string | null): AccountRecord {
  if (identity === null || identity === record.identity) return record
  if (record.identity === null) return { ...record, identity }
  return { ...record, identity, windows: [], walls: [], failures: 0, failedAt: null, restUntil: null }
}

/** A lost login counts as a failure, so that one that only looks alive is not tried again and again. */
function applyLogin(
  record: AccountRecord,
  login: Login,
  at: string | null,
  timing: Timing,
  now: number,
): AccountRecord {
  const next = mergeLogin(record, login, at)
  return next.login === 'out' && record.login !== 'out' ? addFailure(next, timing, now) : next
}

/** The newest report on the login counts; `unknown` is ignored. */
function mergeLogin(record: AccountRecord, login: Login, at: string | null): AccountRecord {
  if (login === 'unknown') return record
  if (record.loginAt !== null && (at === null || toMs(at) < toMs(record.loginAt))) return record
  return { ...record, login, loginAt: at }
}

/** Drops a window that has reset if a newer report lists other windows and not this one. */
function dropEnded(
  known: readonly Window[],
  reported: readonly Window[],
  timing: Timing,
  now: number,
): Window[] {
  return known.filter((window) => {
    const outdated = outdatedSince(window, timing.wakeMargin, now)
    if (outdated === null || reported.some((one) => one.name === window.name)) return true
    // Only a usage probe lists the windows of single models: other sources say nothing about those.
    const scoped = !accountWindows.includes(window.name)
    return !reported.some(
      (one) =>
        accountWindows.includes(one.name) &&
        toMs(one.readAt) >= outdated &&
        (!scoped || one.source === 'usage-probe'),
    )
  })
}

/** An answer after the newest failure ends the row of failures. */
function endFailures(record: AccountRecord): AccountRecord {
  const { failedAt } = record
  if (failedAt === null) return record
  const answered = record.windows.some(
    (window) => window.source === 'status-line' && toMs(window.readAt) > toMs(failedAt),
  )
  return answered ? { ...record, failures: 0, failedAt: null } : record
}

/** The first reading that is newer than its start ends a trial. An answer also disproves what was only presumed of its model. */
function endTrial(record: AccountRecord, timing: Timing, now: number): AccountRecord {
  const { trial } = record
  if (trial === null) return record
  const since = toMs(trial.since)
  if ((lastRead(record.windows) ?? -Infinity) <= since) return record
  const answered = record.windows.some(
    (window) => window.source === 'status-line' && toMs(window.readAt) > since,
  )
  const lease = record.leases.find((held) => held.session === trial.session)
  if (!answered || lease === undefined) return { ...record, trial: null }
  // The answer is sure to come from the session on trial only if no other session is there.
  if (record.leases.length > 1) return { ...record, trial: null }
  const presumed = currentWalls(record.walls, record.windows, timing.wakeMargin, now).filter(
    (current) => current.lapsed && toMs(current.wall.at) < since && wallBinds(current, lease.model),
  )
  return {
    ...record,
    trial: null,
    walls: record.walls.filter(
      (wall) =>
        !presumed.some((current) => current.wall.kind === wall.kind && current.wall.scope === wall.scope),
    ),
    windows: record.windows.filter(
      (window) =>
        accountWindows.includes(window.name) ||
        !bindsModel(window.name, lease.model) ||
        outdatedSince(window, timing.wakeMargin, now) === null,
    ),
  }
}

/** A probe that the host made by itself counts like one that the pool asked for. */
function noteProbe(record: AccountRecord, probedAt: string | null, now: number): AccountRecord {
  if (probedAt === null) return record
  const at = noLaterThan(probedAt, now)
  if (record.probedAt !== null && toMs(at) <= toMs(record.probedAt)) return record
  const own = record.recentProbes.some(
    (start) => toMs(start) <= toMs(at) && toMs(at) - toMs(start) < probeTimeout,
  )
  return {
    ...record,
    probedAt: at,
    recentProbes: own ? record.recentProbes : withinLastHour([...record.recentProbes, at], now),
  }
}

/** A probe without a result after this time counts as lost. */
export const probeTimeout = 2 * 60_000

export const withinLastHour = (instants: readonly string[], now: number): string[] =>
  instants.filter((instant) => now - toMs(instant) < hour).slice(-120)

/** Records a failure of the account: it rests, longer with each failure in a row. */
export function addFailure(record: AccountRecord, timing: Timing, now: number): AccountRecord {
  const failures = record.failures + 1
  const rest = backoff(failures, { base: timing.retryEvery, cap: timing.failureBackoffMax }, record.name)
  const until = Math.max(now + rest, record.restUntil === null ? 0 : toMs(record.restUntil))
  return { ...record, failures, failedAt: iso(now), restUntil: iso(until) }
}
