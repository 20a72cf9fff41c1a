/** Whether an account can take a session of a given model now, and if not, why and until when. */
import { type Timing, type Wall, type Window, isDisabled } from './account.js'
import { throttledUntil } from '../pool/admissionWaves.js'
import type { AccountRecord, PoolState } from '../pool/poolState.js'
import { formatClock, percent, toMs } from '../instants.js'
import type { PoolSettings } from '../pool/lease.js'
import { wallBinds, currentWalls, assumedWallDuration, type CurrentWall } from './walls.js'
import {
  announcedReset,
  bindsModel,
  bindingWindows,
  lastRead,
  outdatedSince,
  tightestWindow,
} from './windows.js'

export type IneligibleCause =
  | 'not-in-pool'
  | 'disabled'
  | 'duplicate'
  | 'logged-out'
  | 'resting'
  | 'walled'
  | 'ceiling'
  | 'full'
  | 'throttled'
  | 'page'
  | 'trial'

/** `until`: when it should end, with every margin, or null if only an event ends it. `why` is a function, since most texts are never shown. */
export interface Ineligible {
  kind: 'ineligible'
  cause: IneligibleCause
  until: number | null
  why: () => string
  /** Of the cause `walled`: the wall that lasts longest. */
  wall?: Wall
}

export type Eligibility =
  | { kind: 'proven'; tightest: Window }
  /** A probe could not tell: one session may try. */
  | { kind: 'unproven' }
  /** To be probed first. `reset`: a window or wall has ended since, so that the next probe need not wait its turn. */
  | { kind: 'unknown'; since: number; reset: boolean }
  | Ineligible

export const ineligible = (
  cause: IneligibleCause,
  why: () => string,
  until: number | null = null,
): Ineligible => ({
  kind: 'ineligible',
  cause,
  why,
  until,
})

/** The earlier account with the same login, or null. */
export function duplicateOf(
  accounts: readonly Pick<AccountRecord, 'name' | 'identity' | 'role'>[],
  account: Pick<AccountRecord, 'name' | 'identity' | 'role'>,
): string | null {
  if (account.identity === null) return null
  const index = accounts.findIndex((other) => other.name === account.name)
  const twin = accounts.find(
    (other, at) =>
      other.name !== account.name &&
      other.identity === account.identity &&
      // A login of the healer is never used by the pool, even if the configuration names it there too.
      (at < index || other.role === 'reserved'),
  )
  return twin?.name ?? null
}

export function eligibilityOf(
  state: PoolState,
  account: AccountRecord,
  model: string | null,
  now: number,
): Eligibility {
  const { timing } = state.settings
  if (account.removed || account.role !== 'pool') return ineligible('not-in-pool', () => 'not in the pool')
  if (isDisabled(account))
    return ineligible('disabled', () => (account.drain === true ? 'being drained' : 'disabled'))
  const twin = duplicateOf(state.accounts, account)
  if (twin !== null) return ineligible('duplicate', () => `the same login as ${twin}`)
  if (account.login === 'out') return ineligible('logged-out', () => 'logged out')
  const resting = restingCause(account, now)
  if (resting !== null) return resting
  const walls = bindingWalls(account, model, timing, now)
  const walled = wallCause(walls, timing, now)
  if (walled !== null) return walled
  const windows = bindingWindows(account.windows, model, timing.wakeMargin, now)
  const over = windows.filter((window) => window.used >= account.ceiling && account.ceiling < 1)
  // Without a known reset the reading is doubted after a while, as a wall is.
  const overUntil = over.map(
    (window) => (announcedReset(window) ?? toMs(window.readAt) + assumedWallDuration) + timing.wakeMargin,
  )
  if (overUntil.some((until) => until > now))
    return ineligible(
      'ceiling',
      () => `above its ceiling of ${percent(account.ceiling)}`,
      Math.max(...overUntil),
    )
  const full = fullCause(account)
  if (full !== null) return full

  const ended = [...walls.map(({ end }) => end + timing.wakeMargin), ...overUntil]
  const doubt = uncertainSince(account, model, ended, timing, now)
  const tightest = tightestWindow(windows)
  if (doubt === null && tightest !== null)
    return throttledCause(account, tightest, state.settings, now) ?? { kind: 'proven', tightest }
  return unknownOrUnproven(account, doubt ?? { since: -Infinity, reset: false }, timing, now)
}

/**
 * Why a substrate can't take a session now, or null. The limits of a key can't be probed: its wall lasts as long as its cooldown, and
 * then a session tries.
 */
export function substrateIneligibility(
  substrate: AccountRecord,
  timing: Timing,
  now: number,
): Ineligible | null {
  if (substrate.removed || substrate.maxSessions === 0) return ineligible('disabled', () => 'disabled')
  const walls = bindingWalls(substrate, null, timing, now)
  return restingCause(substrate, now) ?? wallCause(walls, timing, now) ?? fullCause(substrate)
}

function restingCause({ restUntil }: AccountRecord, now: number): Ineligible | null {
  const until = restUntil === null ? null : toMs(restUntil)
  if (until === null || until <= now) return null
  return ineligible('resting', () => `resting until ${formatClock(until, now)} after a failed start`, until)
}

const bindingWalls = (
  account: AccountRecord,
  model: string | null,
  timing: Timing,
  now: number,
): CurrentWall[] =>
  currentWalls(account.walls, account.windows, timing.wakeMargin, now).filter((wall) =>
    wallBinds(wall, model),
  )

function wallCause(walls: readonly CurrentWall[], timing: Timing, now: number): Ineligible | null {
  const [last] = walls.filter(({ lapsed }) => !lapsed).sort((a, b) => b.end - a.end)
  if (last === undefined) return null
  const { wall, end } = last
  return {
    ...ineligible('walled', () => `walled until ${formatClock(end, now)}`, end + timing.wakeMargin),
    wall,
  }
}

function fullCause({ maxSessions, leases }: AccountRecord): Ineligible | null {
  if (maxSessions === null || leases.length < maxSessions) return null
  return ineligible('full', () => `full (${leases.length} sessions)`)
}

function throttledCause(
  account: AccountRecord,
  tightest: Window,
  { moveAt, timing }: PoolSettings,
  now: number,
): Ineligible | null {
  const until = throttledUntil(account, tightest.used, moveAt, timing.admissionInterval, now)
  if (until === null) return null
  const left = percent(1 - tightest.used)
  return ineligible(
    'throttled',
    () => `has ${left} of ${tightest.name} left, kept for the sessions that have just arrived`,
    until,
  )
}

/** Since when what we know of the account no longer holds; null while it does. */
function uncertainSince(
  account: AccountRecord,
  model: string | null,
  ended: readonly number[],
  timing: Timing,
  now: number,
): { since: number; reset: boolean } | null {
  const resets = [...ended]
  for (const window of account.windows) {
    const outdated = outdatedSince(window, timing.wakeMargin, now)
    if (outdated !== null && bindsModel(window.name, model)) resets.push(outdated)
  }
  if (resets.length > 0) return { since: Math.max(...resets), reset: true }
  const read = lastRead(account.windows)
  if (read === null) return { since: -Infinity, reset: false }
  const stale = read + timing.probeEvery
  // A session reports the use of its account: with one that came before the reading became stale, it is up to date.
  const followed = account.leases.some((lease) => toMs(lease.since) <= stale)
  return now > stale && !followed ? { since: stale, reset: false } : null
}

function unknownOrUnproven(
  account: AccountRecord,
  { since, reset }: { since: number; reset: boolean },
  timing: Timing,
  now: number,
): Eligibility {
  const asked = account.probedAt === null ? -Infinity : toMs(account.probedAt)
  const silent = asked >= since && now - asked < timing.probeEvery && account.probingSince === null
  if (!silent) return { kind: 'unknown', since, reset: reset && asked < since }
  const { trial } = account
  if (trial !== null) return ineligible('trial', () => `unproven, being tried by ${trial.session}`)
  return { kind: 'unproven' }
}
