/** Whether an account can take a session of a given model now, and if not, why and until when. */
import type { Timing, Window } from './account.js'
import { crowdedUntil } from '../pool/admissionWaves.js'
import type { AccountRecord, PoolDesk } from '../pool/poolState.js'
import { clock, ms, percent } from '../instants.js'
import type { PoolSettings } from '../pool/lease.js'
import { wallBinds, wallsOf, blindWallStands, type StandingWall } from './walls.js'
import {
  announcedReset,
  bindsModel,
  bindingWindows,
  lastRead,
  outdatedSince,
  tightestWindow,
} from './windows.js'

export type UnableCause =
  | 'not-in-pool'
  | 'disabled'
  | 'duplicate'
  | 'logged-out'
  | 'resting'
  | 'walled'
  | 'ceiling'
  | 'full'
  | 'crowded'
  | 'page'
  | 'trial'

/** `until` is the instant it ought to end, every margin counted; null where only an event ends it. `why` is put into words only for those who are told. */
export interface Unable {
  kind: 'unable'
  cause: UnableCause
  until: number | null
  why: () => string
}

export type Standing =
  | { kind: 'proven'; tightest: Window }
  /** A probe was made and could not say: one session may try. */
  | { kind: 'unproven' }
  /** To be asked first. `reset` says that a window or wall has ended since, so that the next probe need not wait its turn. */
  | { kind: 'unknown'; since: number; reset: boolean }
  | Unable

export const unable = (cause: UnableCause, why: () => string, until: number | null = null): Unable => ({
  kind: 'unable',
  cause,
  why,
  until,
})

/** The account whose login this one shares and which goes before it, or null. */
export function twinOf(
  accounts: readonly Pick<AccountRecord, 'name' | 'identity' | 'role'>[],
  account: Pick<AccountRecord, 'name' | 'identity' | 'role'>,
): string | null {
  if (account.identity === null) return null
  const index = accounts.findIndex((other) => other.name === account.name)
  const twin = accounts.find(
    (other, at) =>
      other.name !== account.name &&
      other.identity === account.identity &&
      // A login of the healer's is never the pool's, wherever it is named.
      (at < index || other.role === 'reserved'),
  )
  return twin?.name ?? null
}

export function standingOf(
  desk: PoolDesk,
  account: AccountRecord,
  model: string | null,
  now: number,
): Standing {
  const { timing } = desk.settings
  if (account.removed || account.role !== 'pool') return unable('not-in-pool', () => 'not in the pool')
  if (account.maxSessions === 0) return unable('disabled', () => 'disabled')
  const twin = twinOf(desk.accounts, account)
  if (twin !== null) return unable('duplicate', () => `the same login as ${twin}`)
  if (account.login === 'out') return unable('logged-out', () => 'logged out')
  const resting = restOf(account, now)
  if (resting !== null) return resting
  const walls = bindingWalls(account, model, timing, now)
  const walled = standingWallOf(walls, timing, now)
  if (walled !== null) return walled
  const windows = bindingWindows(account.windows, model, timing.wakeMargin, now)
  const over = windows.filter((window) => window.used >= account.ceiling && account.ceiling < 1)
  // Without a known reset the reading is doubted after a while, as a wall would be.
  const overUntil = over.map(
    (window) => (announcedReset(window) ?? ms(window.readAt) + blindWallStands) + timing.wakeMargin,
  )
  if (overUntil.some((until) => until > now))
    return unable('ceiling', () => `above its ceiling of ${percent(account.ceiling)}`, Math.max(...overUntil))
  const full = fullnessOf(account)
  if (full !== null) return full

  const ended = [...walls.map(({ end }) => end + timing.wakeMargin), ...overUntil]
  const doubt = doubtSince(account, model, ended, timing, now)
  const tightest = tightestWindow(windows)
  if (doubt === null && tightest !== null)
    return crowdOf(account, tightest, desk.settings, now) ?? { kind: 'proven', tightest }
  return unknownOrUnproven(account, doubt ?? { since: -Infinity, reset: false }, timing, now)
}

/**
 * What keeps a substrate from taking a session now; null where it can. Nobody can be asked for a key's limits: a wall there
 * stands as long as its cooldown, and what comes after is a try.
 */
export function substrateBar(substrate: AccountRecord, timing: Timing, now: number): Unable | null {
  if (substrate.removed || substrate.maxSessions === 0) return unable('disabled', () => 'disabled')
  const walls = bindingWalls(substrate, null, timing, now)
  return restOf(substrate, now) ?? standingWallOf(walls, timing, now) ?? fullnessOf(substrate)
}

function restOf({ restUntil }: AccountRecord, now: number): Unable | null {
  const until = restUntil === null ? null : ms(restUntil)
  if (until === null || until <= now) return null
  return unable('resting', () => `resting until ${clock(until, now)} after a failed start`, until)
}

const bindingWalls = (
  account: AccountRecord,
  model: string | null,
  timing: Timing,
  now: number,
): StandingWall[] =>
  wallsOf(account.walls, account.windows, timing.wakeMargin, now).filter((wall) => wallBinds(wall, model))

function standingWallOf(walls: readonly StandingWall[], timing: Timing, now: number): Unable | null {
  const standing = walls.filter(({ lapsed }) => !lapsed)
  if (standing.length === 0) return null
  const end = Math.max(...standing.map((wall) => wall.end))
  return unable('walled', () => `walled until ${clock(end, now)}`, end + timing.wakeMargin)
}

function fullnessOf({ maxSessions, leases }: AccountRecord): Unable | null {
  if (maxSessions === null || leases.length < maxSessions) return null
  return unable('full', () => `full (${leases.length} sessions)`)
}

function crowdOf(
  account: AccountRecord,
  tightest: Window,
  { moveAt, timing }: PoolSettings,
  now: number,
): Unable | null {
  const until = crowdedUntil(account, tightest.used, moveAt, timing.waveEvery, now)
  if (until === null) return null
  const left = percent(1 - tightest.used)
  return unable('crowded', () => `has ${left} of ${tightest.name} left, for those who have just come`, until)
}

/** Since when what we know of the account no longer holds; null while it does. */
function doubtSince(
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
  // With a session of ours on it, news comes by itself; what was fresh when it came has been followed since.
  const followed = account.leases.some((lease) => ms(lease.since) <= stale)
  return now > stale && !followed ? { since: stale, reset: false } : null
}

function unknownOrUnproven(
  account: AccountRecord,
  { since, reset }: { since: number; reset: boolean },
  timing: Timing,
  now: number,
): Standing {
  const asked = account.probedAt === null ? -Infinity : ms(account.probedAt)
  const silent = asked >= since && now - asked < timing.probeEvery && account.asking === null
  if (!silent) return { kind: 'unknown', since, reset: reset && asked < since }
  const { trial } = account
  if (trial !== null) return unable('trial', () => `unproven, being tried by ${trial.session}`)
  return { kind: 'unproven' }
}
