/**
 * The pool's desk: every transition of its state, pure, so that the `pool` workflow only moves messages.
 * `now` is always an ISO 8601 instant in UTC and never goes back. After any transition, `decide` says what follows.
 */
import { type AccountFacts, type AccountReading, type Wall, withDefaults } from '../account/account.js'
import {
  leaseOf,
  withAccount,
  withoutLease,
  isVoluntary,
  type AccountRecord,
  type PoolDesk,
  type Waiting,
} from './poolState.js'
import { ms } from '../instants.js'
import type {
  LeaseAnswer,
  LeaseAsk,
  LeaseRelease,
  LeaseRequest,
  LeaseRound,
  PoolSettings,
  PoolView,
} from './lease.js'
import type { Decision } from './assign.js'
import { isAsking, mayAskAt } from '../account/probes.js'
import {
  addFault,
  lastHour,
  newRecord,
  takeLoginReport,
  takeReading,
  takeWallReport,
} from '../account/accountRecord.js'
import { standingOf, unable, type Unable } from '../account/eligibility.js'

export { declare, lift } from './simulatedWall.js'
export { decide, type Decision } from './assign.js'
export { type PoolDesk } from './poolState.js'

export const newDesk = (settings: PoolSettings): PoolDesk =>
  configure({ settings, fence: 0, accounts: [], waiting: [], resend: [] }, settings)

/** Takes a new configuration. What is known and who holds what stays; an account that is gone keeps its leases until they end. */
export function configure(desk: PoolDesk, settings: PoolSettings): PoolDesk {
  const configured = settings.accounts.map((spec): AccountRecord => {
    const known = desk.accounts.find(({ name }) => name === spec.name)
    return known === undefined ? newRecord(spec) : { ...known, ...spec, removed: false }
  })
  const left = desk.accounts
    .filter(({ name }) => !settings.accounts.some((spec) => spec.name === name))
    .map((account) => ({ ...account, removed: true }))
  return dropEmpty({
    ...desk,
    settings: { ...settings, timing: withDefaults(settings.timing) },
    accounts: [...configured, ...left],
  })
}

const dropEmpty = (desk: PoolDesk): PoolDesk => ({
  ...desk,
  accounts: desk.accounts.filter((account) => !account.removed || account.leases.length > 0),
})

/** Readings of accounts that the pool doesn't have are passed over. Order does not matter; the newest data wins. */
export function takeReadings(desk: PoolDesk, readings: readonly AccountReading[], now: string): PoolDesk {
  const { timing } = desk.settings
  const of = new Map<string, AccountReading[]>()
  for (const reading of readings) of.set(reading.account, [...(of.get(reading.account) ?? []), reading])
  const accounts = desk.accounts.map((account) =>
    (of.get(account.name) ?? []).reduce(
      (record, reading) => takeReading(record, reading, timing, ms(now)),
      account,
    ),
  )
  return { ...desk, accounts }
}

export const takeWall = (desk: PoolDesk, account: string, wall: Wall, now: string): PoolDesk =>
  withAccount(desk, account, (record) => takeWallReport(record, wall, ms(now)))

/** A login lost or seen. */
export function takeLogin(
  desk: PoolDesk,
  account: string,
  login: 'in' | 'out',
  at: string,
  now: string,
): PoolDesk {
  return withAccount(desk, account, (record) =>
    takeLoginReport(record, login, at, desk.settings.timing, ms(now)),
  )
}

/**
 * A session asks for an account. Asking again with the same `requestId` repeats the answer. Another id replaces the
 * session's older request and gives up its lease; only a voluntary move (`near-limit`, `move`) keeps the lease until it
 * is granted another, is answered once, and doesn't wait in the queue.
 */
export function request(desk: PoolDesk, asked: LeaseRequest, now: string): PoolDesk {
  const next = takeReadings(desk, asked.readings, now)
  const held = leaseOf(next, asked.session)
  const before = next.waiting.find((waiting) => waiting.request.session === asked.session)
  if (before?.request.requestId === asked.requestId)
    return { ...next, waiting: replace(next.waiting, { ...before, told: null }) }
  if (held?.lease.requestId === asked.requestId)
    return { ...next, resend: [...new Set([...next.resend, asked.session])] }
  const newest = Math.max(
    before === undefined ? -Infinity : ms(before.request.at),
    held === null ? -Infinity : ms(held.lease.askedAt),
  )
  if (ms(asked.at) < newest) return next
  const keeps = isVoluntary(asked)
  const left =
    held === null ? (before?.left ?? null) : { account: held.account.name, fence: held.lease.fence }
  const waiting: Waiting = { request: { ...asked, readings: [] }, since: now, told: null, left }
  const freed = keeps ? next : withoutLease(next, asked.session)
  return dropEmpty({
    ...freed,
    waiting: replace(freed.waiting, waiting),
    resend: freed.resend.filter((session) => session !== asked.session),
  })
}

/** What a host asks for several sessions at once. */
export function requestRound(desk: PoolDesk, { asks, readings }: LeaseRound, now: string): PoolDesk {
  const known = takeReadings(desk, readings, now)
  return asks.reduce((next, asked) => request(next, { ...asked, readings: [] }, now), known)
}

/** The first word on what a host asked for. Null where the session has asked for something else since. */
export function answerTo({ requestId }: LeaseAsk, decision: Decision): LeaseAnswer | null {
  const granted = decision.grants.find(({ grant }) => grant.requestId === requestId)
  if (granted) return { kind: 'granted', grant: granted.grant }
  const refused = decision.refusals.find(({ refusal }) => refusal.requestId === requestId)
  if (refused) return { kind: 'refused', refusal: refused.refusal }
  const isQueued = decision.desk.waiting.some(({ request }) => request.requestId === requestId)
  return isQueued ? { kind: 'queued', requestId } : null
}

const replace = (all: readonly Waiting[], one: Waiting): Waiting[] => [
  ...all.filter(({ request: { session } }) => session !== one.request.session),
  one,
]

/** Gives a lease back; only the one with this very fence. A fault makes the account rest, longer each time in a row. */
export function release(desk: PoolDesk, { session, fence, fault }: LeaseRelease, now: string): PoolDesk {
  const held = leaseOf(desk, session)
  const left = desk.waiting.find((waiting) => waiting.request.session === session)?.left ?? null
  const isHeld = held?.lease.fence === fence
  const account = isHeld ? held.account.name : left?.fence === fence ? left.account : null
  if (account === null) return desk
  const faulted =
    fault === null
      ? desk
      : withAccount(desk, account, (record) => addFault(record, desk.settings.timing, ms(now)))
  if (isHeld) return dropEmpty(withoutLease(faulted, session))
  // Given up by the request already; the fault must not count twice.
  return {
    ...faulted,
    waiting: faulted.waiting.map((waiting) =>
      waiting.request.session === session ? { ...waiting, left: null } : waiting,
    ),
  }
}

/** The session has ended: it holds and wants nothing any more. */
export function withdraw(desk: PoolDesk, session: string): PoolDesk {
  const next = withoutLease(desk, session)
  return dropEmpty({
    ...next,
    waiting: next.waiting.filter((waiting) => waiting.request.session !== session),
    resend: next.resend.filter((name) => name !== session),
  })
}

/** While somebody waits, a lease that its session left behind may be what they wait for. */
const reconcileEvery = 60 * 60_000
/** Else it only takes up room, and a history does not grow with time alone (law 8). */
const quietReconcileEvery = 6 * reconcileEvery

/**
 * When to take back what sessions left that are gone without a word (a terminated workflow), in milliseconds since the epoch:
 * `last` is when that was done before. Infinity where nobody holds or wants anything. `isSparing` is false for runs that
 * began before there was a difference.
 */
export function reconcileAt({ accounts, waiting }: PoolDesk, last: string, isSparing: boolean): number {
  const isWaitedFor = waiting.length > 0
  if (!isWaitedFor && accounts.every(({ leases }) => leases.length === 0)) return Infinity
  return ms(last) + (isSparing && !isWaitedFor ? quietReconcileEvery : reconcileEvery)
}

/** A session that has just begun may not yet be in a list that was made elsewhere. */
const listedWithin = 2 * 60_000

/** Takes back what sessions hold and want that are not among the living. */
export function reconcile(desk: PoolDesk, liveSessions: readonly string[], now: string): PoolDesk {
  const live = new Set(liveSessions)
  const isDead = (session: string, since: string): boolean =>
    !live.has(session) && ms(now) - ms(since) > listedWithin
  const dead = [
    ...desk.accounts.flatMap(({ leases }) =>
      leases.filter(({ session, since }) => isDead(session, since)).map(({ session }) => session),
    ),
    ...desk.waiting
      .filter(({ request: { session }, since }) => isDead(session, since))
      .map(({ request: { session } }) => session),
  ]
  return dead.reduce(withdraw, desk)
}

export const probeStarted = (desk: PoolDesk, account: string, now: string): PoolDesk =>
  withAccount(desk, account, (record) => ({
    ...record,
    asking: now,
    probes: lastHour([...record.probes, now], ms(now)),
  }))

/** `reading` is null where the probe failed altogether: that too is an answer, namely that it can't be said. */
export function probeEnded(
  desk: PoolDesk,
  account: string,
  reading: AccountReading | null,
  now: string,
): PoolDesk {
  const next = reading === null ? desk : takeReadings(desk, [{ ...reading, account }], now)
  return withAccount(next, account, (record) => {
    // It speaks for the instant at which it was asked: a window may have begun anew since.
    const asked = record.asking ?? now
    const probedAt = record.probedAt !== null && ms(record.probedAt) > ms(asked) ? record.probedAt : asked
    return { ...record, asking: null, probedAt }
  })
}

/** What keeps the account from taking this session, in words; null where nothing does, or only for moments. */
export function barTo(
  desk: PoolDesk,
  name: string,
  session: string,
  model: string | null,
  now: string,
): Unable | null {
  const account = desk.accounts.find((one) => one.name === name)
  if (account === undefined) return unable('not-in-pool', () => 'is not in the pool')
  // A session does not stand in its own way.
  const leases = account.leases.filter((lease) => lease.session !== session)
  const standing = standingOf(desk, { ...account, leases }, model, ms(now))
  return standing.kind === 'unable' && standing.cause !== 'crowded' ? standing : null
}

/** Accounts of the pool whose readings are so old that a person's order asks them again first. */
export const toAskFirst = (desk: PoolDesk, names: readonly string[] | null, now: string): string[] =>
  desk.accounts
    .filter(({ name, role, removed }) => role === 'pool' && !removed && (names?.includes(name) ?? true))
    .filter((account) => !isAsking(account, ms(now)))
    .filter((account) => mayAskAt(account, true, desk.settings.timing, ms(now)) <= ms(now))
    .map(({ name }) => name)

/** What is known of an account, without the desk's own bookkeeping. */
const factsOf = (account: AccountRecord): AccountFacts => ({
  name: account.name,
  role: account.role,
  ceiling: account.ceiling,
  maxSessions: account.maxSessions,
  windows: account.windows,
  walls: account.walls,
  login: account.login,
  loginAt: account.loginAt,
  identity: account.identity,
  probedAt: account.probedAt,
  leases: account.leases.map(({ session }) => session),
  trial: account.trial,
  restUntil: account.restUntil,
  ...(account.pages === undefined ? {} : { pages: account.pages }),
})

/** What `outpool accounts` and `ls` are told. */
export const viewOfPool = ({ settings, accounts, waiting, declared = [] }: PoolDesk): PoolView => ({
  name: settings.name,
  moveAt: settings.moveAt,
  accounts: accounts.filter(({ removed }) => !removed).map(factsOf),
  waiting: waiting.map(({ request: { session }, since, told }) => ({
    session,
    since,
    why: told?.why ?? 'being looked after',
    retryAt: told?.retryAt ?? null,
  })),
  declared,
})
