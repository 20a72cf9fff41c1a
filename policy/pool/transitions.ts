/**
 * Every transition of a pool's state. They are pure, so that the `pool` workflow only passes messages on. `now` is always an
 * ISO 8601 instant in UTC and never goes back. After any transition, `decide` returns what follows.
 */
import { type AccountReading, withDefaults } from '../account/account.js'
import {
  leaseOf,
  withAccount,
  withoutLease,
  type AccountRecord,
  type PoolState,
  type WaitlistEntry,
} from './poolState.js'
import { toMs } from '../instants.js'
import {
  isVoluntaryMove,
  type LeaseAnswer,
  type PreparedLeaseRequest,
  type LeaseRelease,
  type LeaseRequest,
  type LeaseBatch,
  type PoolSettings,
} from './lease.js'
import type { Decision } from './assign.js'
import { addFailure, withinLastHour, newRecord, applyReading } from '../account/accountRecord.js'

export { simulateWall, liftWall } from './simulatedWall.js'
export { confirmLease } from './heldLease.js'
export { decide, type Decision } from './assign.js'
export { type PoolState } from './poolState.js'

export const newPoolState = (settings: PoolSettings): PoolState =>
  configure({ settings, fence: 0, accounts: [], waitlist: [], resend: [] }, settings)

/** Applies a new configuration. Readings and leases are kept; a removed account keeps its leases until they end. */
export function configure(state: PoolState, settings: PoolSettings): PoolState {
  const configured = settings.accounts.map((spec): AccountRecord => {
    const known = state.accounts.find(({ name }) => name === spec.name)
    return known === undefined ? newRecord(spec) : { ...known, ...spec, removed: false }
  })
  const removed = state.accounts
    .filter(({ name }) => !settings.accounts.some((spec) => spec.name === name))
    .map((account) => ({ ...account, removed: true }))
  return dropUnusedAccounts({
    ...state,
    settings: { ...settings, timing: withDefaults(settings.timing) },
    accounts: [...configured, ...removed],
  })
}

const dropUnusedAccounts = (state: PoolState): PoolState => ({
  ...state,
  accounts: state.accounts.filter((account) => !account.removed || account.leases.length > 0),
})

/** Ignores readings of accounts that the pool does not have. Their order does not matter; the newest data wins. */
export function recordReadings(
  state: PoolState,
  readings: readonly AccountReading[],
  now: string,
): PoolState {
  const { timing } = state.settings
  const byAccount = new Map<string, AccountReading[]>()
  for (const reading of readings)
    byAccount.set(reading.account, [...(byAccount.get(reading.account) ?? []), reading])
  const accounts = state.accounts.map((account) =>
    (byAccount.get(account.name) ?? []).reduce(
      (record, reading) => applyReading(record, reading, timing, toMs(now)),
      account,
    ),
  )
  return { ...state, accounts }
}

/**
 * Records a session's request. The same `requestId` repeats the answer. Another id replaces the session's older request and gives
 * up its lease. Only a voluntary move (see `isVoluntaryMove`) keeps the lease until another is granted, is answered once, and does
 * not stay on the waitlist.
 */
export function requestLease(state: PoolState, request: LeaseRequest, now: string): PoolState {
  const next = recordReadings(state, request.readings, now)
  const held = leaseOf(next, request.session)
  const before = next.waitlist.find((entry) => entry.request.session === request.session)
  if (before?.request.requestId === request.requestId)
    return { ...next, waitlist: replace(next.waitlist, { ...before, notified: null }) }
  if (held?.lease.requestId === request.requestId)
    return { ...next, resend: [...new Set([...next.resend, request.session])] }
  const newest = Math.max(
    before === undefined ? -Infinity : toMs(before.request.at),
    held === null ? -Infinity : toMs(held.lease.askedAt),
  )
  if (toMs(request.at) < newest) return next
  const keepsLease = isVoluntaryMove(request.cause)
  const releasedLease =
    held === null ? (before?.releasedLease ?? null) : { account: held.account.name, fence: held.lease.fence }
  const entry: WaitlistEntry = {
    request: { ...request, readings: [] },
    since: now,
    notified: null,
    releasedLease,
  }
  const freed = keepsLease ? next : withoutLease(next, request.session)
  return dropUnusedAccounts({
    ...freed,
    waitlist: replace(freed.waitlist, entry),
    resend: freed.resend.filter((session) => session !== request.session),
  })
}

/** Records the requests of a host for several sessions. */
export function requestBatch(state: PoolState, { requests, readings }: LeaseBatch, now: string): PoolState {
  const known = recordReadings(state, readings, now)
  return requests.reduce((next, request) => requestLease(next, { ...request, readings: [] }, now), known)
}

/** The first answer to a host's request; null if the session has asked for something else since. */
export function answerFor({ requestId }: PreparedLeaseRequest, decision: Decision): LeaseAnswer | null {
  const granted = decision.grants.find(({ grant }) => grant.requestId === requestId)
  if (granted) return { kind: 'granted', grant: granted.grant }
  const refused = decision.denials.find(({ denial }) => denial.requestId === requestId)
  if (refused) return { kind: 'refused', denial: refused.denial }
  const isQueued = decision.state.waitlist.some(({ request }) => request.requestId === requestId)
  return isQueued ? { kind: 'queued', requestId } : null
}

const replace = (all: readonly WaitlistEntry[], one: WaitlistEntry): WaitlistEntry[] => [
  ...all.filter(({ request: { session } }) => session !== one.request.session),
  one,
]

/** Releases the lease with this fence. With a failure the account rests, longer with each one in a row. */
export function releaseLease(
  state: PoolState,
  { session, fence, failure }: LeaseRelease,
  now: string,
): PoolState {
  const held = leaseOf(state, session)
  const releasedLease =
    state.waitlist.find((entry) => entry.request.session === session)?.releasedLease ?? null
  const isHeld = held?.lease.fence === fence
  const account = isHeld ? held.account.name : releasedLease?.fence === fence ? releasedLease.account : null
  if (account === null) return state
  const changed =
    failure === null
      ? state
      : withAccount(state, account, (record) => addFailure(record, state.settings.timing, toMs(now)))
  if (isHeld) return dropUnusedAccounts(withoutLease(changed, session))
  // The request has given up the lease already; the failure must not count twice.
  return {
    ...changed,
    waitlist: changed.waitlist.map((entry) =>
      entry.request.session === session ? { ...entry, releasedLease: null } : entry,
    ),
  }
}

/** Drops the leases and requests of a session that has ended. */
export function withdraw(state: PoolState, session: string): PoolState {
  const next = withoutLease(state, session)
  return dropUnusedAccounts({
    ...next,
    waitlist: next.waitlist.filter((entry) => entry.request.session !== session),
    resend: next.resend.filter((name) => name !== session),
  })
}

/** The interval while sessions wait: a lease that an ended session has left behind may be what they wait for. */
const reconcileEvery = 60 * 60_000
/** The interval otherwise: such a lease only takes up room, and histories must not grow with time alone (law 8). */
const quietReconcileEvery = 6 * reconcileEvery

/**
 * When to drop the leases and requests of sessions that ended without a message (a terminated workflow), in milliseconds since the
 * epoch. `last`: when that was done before. Infinity if no session holds or wants anything.
 */
export function reconcileAt({ accounts, waitlist }: PoolState, last: string): number {
  const isWaitedFor = waitlist.length > 0
  if (!isWaitedFor && accounts.every(({ leases }) => leases.length === 0)) return Infinity
  return toMs(last) + (isWaitedFor ? reconcileEvery : quietReconcileEvery)
}

/** A session that has just begun may not be listed yet. */
const listingDelay = 2 * 60_000

/** Drops the leases and requests of sessions that do not run. */
export function reconcile(state: PoolState, liveSessions: readonly string[], now: string): PoolState {
  const live = new Set(liveSessions)
  const isDead = (session: string, since: string): boolean =>
    !live.has(session) && toMs(now) - toMs(since) > listingDelay
  const dead = [
    ...state.accounts.flatMap(({ leases }) =>
      leases.filter(({ session, since }) => isDead(session, since)).map(({ session }) => session),
    ),
    ...state.waitlist
      .filter(({ request: { session }, since }) => isDead(session, since))
      .map(({ request: { session } }) => session),
  ]
  return dead.reduce(withdraw, state)
}

export const probeStarted = (state: PoolState, account: string, now: string): PoolState =>
  withAccount(state, account, (record) => ({
    ...record,
    probingSince: now,
    recentProbes: withinLastHour([...record.recentProbes, now], toMs(now)),
  }))

/** `reading` is null if the probe failed: then the account stays unknown. */
export function probeEnded(
  state: PoolState,
  account: string,
  reading: AccountReading | null,
  now: string,
): PoolState {
  const next = reading === null ? state : recordReadings(state, [{ ...reading, account }], now)
  return withAccount(next, account, (record) => {
    // The reading is about the instant of the request: a window may have reset since.
    const asked = record.probingSince ?? now
    const probedAt = record.probedAt !== null && toMs(record.probedAt) > toMs(asked) ? record.probedAt : asked
    return { ...record, probingSince: null, probedAt }
  })
}
