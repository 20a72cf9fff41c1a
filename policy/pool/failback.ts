/** Failback of sessions on a fallback (on a substrate, or on a lesser model): when it is offered, and to which account. */
import type { LeaseRequest } from './lease.js'
import {
  leaseOf,
  withAccount,
  type AccountRecord,
  type Failback,
  type Lease,
  type WaitlistEntry,
} from './poolState.js'
import { sessionShare } from './chooseAccount.js'
import { iso, toMs } from '../instants.js'
import { probeDueAt } from '../account/probes.js'
import { blockersOf } from './denial.js'
import type { AssignmentPass } from './assignmentPass.js'
import type { Candidate } from './candidate.js'
import { ineligible } from '../account/eligibility.js'
import { announcedReset, lastRead, moveThreshold } from '../account/windows.js'

/** How the session gets back to what it asked for; null if it has that. */
export function failbackFor(
  request: LeaseRequest,
  { role, name }: AccountRecord,
  model: string | null,
): Failback | null {
  const lesser = request.models.indexOf(model)
  if (role !== 'substrate' && lesser <= 0) return null
  const models = role === 'substrate' ? request.models : request.models.slice(0, lesser)
  return {
    request: { ...request, models, cause: 'home', from: name, exclude: [], readings: [] },
    offered: null,
    notBefore: null,
  }
}

/**
 * Whether a session would not have to leave again within a turn or two after its failback: a session's share of room is left,
 * beside what those sessions will use that came since the account was read or are on their way.
 */
export function hasLastingRoom(
  pass: AssignmentPass,
  { account, eligibility }: Candidate,
  { cause, session }: Pick<LeaseRequest, 'cause' | 'session'>,
): boolean {
  if (cause !== 'home') return true
  const incoming = incomingFailbacks(pass, account.name, session)
  if (account.maxSessions !== null && account.leases.length + incoming >= account.maxSessions) return false
  if (eligibility.kind !== 'proven') return incoming === 0
  const read = lastRead(account.windows) ?? -Infinity
  const fresh = account.leases.filter((lease) => toMs(lease.since) > read && lease.session !== session).length
  const limit = moveThreshold(pass.state.settings.moveAt, account.ceiling)
  // The tolerance for floating point: 0.1 > 0.95 - 0.85.
  return eligibility.tightest.used + sessionShare * (fresh + incoming + 1) <= limit + 1e-9
}

function incomingFailbacks(pass: AssignmentPass, account: string, except: string): number {
  // A session that does not come within this time is in a long turn.
  const { failbackReservation } = pass.state.settings.timing
  const keptUntil = pass.state.accounts.flatMap(({ leases }) =>
    leases.flatMap(({ session, failback }) => {
      const offered = failback?.offered ?? null
      return offered?.to === account && session !== except ? [toMs(offered.at) + failbackReservation] : []
    }),
  )
  const kept = keptUntil.filter((until) => pass.now < until)
  for (const until of kept) pass.decideAgainAt(until)
  return kept.length
}

/** The sessions for which there is room now, by priority, then by time on the fallback. Each gets one offer until it has come. */
export function offerFailbacks(
  pass: AssignmentPass,
  waiting: readonly WaitlistEntry[],
): { session: string; why: string }[] {
  const waitlisted = new Set(waiting.map(({ request }) => request.session))
  const pending = pass.state.accounts
    .flatMap(({ leases }) =>
      leases.flatMap((lease) => (lease.failback === null ? [] : [{ lease, failback: lease.failback }])),
    )
    .filter(({ lease, failback }) => failback.offered === null && !waitlisted.has(lease.session))
    .sort(
      (a, b) =>
        a.failback.request.priority - b.failback.request.priority ||
        toMs(a.lease.since) - toMs(b.lease.since),
    )
  return pending.flatMap(({ lease, failback }) => {
    if (failback.notBefore !== null && toMs(failback.notBefore) > pass.now) {
      pass.decideAgainAt(toMs(failback.notBefore))
      return []
    }
    const target = failbackTarget(pass, lease, failback)
    if (target === null) return []
    setFailback(pass, lease.session, { ...failback, offered: { at: iso(pass.now), to: target } })
    return [{ session: lease.session, why: `${target} is able again` }]
  })
}

/** The account to which the session could go now, or null. Then accounts are probed as for a session that waits. */
function failbackTarget(pass: AssignmentPass, lease: Lease, { request }: Failback): string | null {
  const entry: WaitlistEntry = { request, since: lease.since, notified: null, releasedLease: null }
  const unserved: Candidate[] = []
  for (const model of request.models) {
    const candidates = pass.candidates(entry, model)
    const eligible = candidates.filter(
      (candidate) =>
        (candidate.eligibility.kind === 'proven' || candidate.eligibility.kind === 'unproven') &&
        hasLastingRoom(pass, candidate, request),
    )
    const best = eligible.find(({ eligibility }) => eligibility.kind === 'proven') ?? eligible[0]
    if (best !== undefined) return best.account.name
    unserved.push(...candidates.map((candidate) => withoutLastingRoom(pass, candidate)))
  }
  pass.requestProbes(unserved)
  for (const { until } of blockersOf(unserved).blockers) pass.decideAgainAt(until)
  return null
}

/** An account with too little room is waited for like one above its ceiling: it is not known when its sessions leave. */
function withoutLastingRoom(pass: AssignmentPass, candidate: Candidate): Candidate {
  const { account, eligibility } = candidate
  if (eligibility.kind !== 'proven') return candidate
  const { timing } = pass.state.settings
  const reset = announcedReset(eligibility.tightest)
  const until = reset === null ? null : reset + timing.wakeMargin
  const ineligibility = ineligible('ceiling', () => 'has no lasting room', until)
  return {
    ...candidate,
    eligibility: ineligibility,
    probeDueAt: probeDueAt(account, ineligibility, timing, pass.now),
  }
}

/** Records that the session came, and that there was no room. */
export function postponeFailback(pass: AssignmentPass, session: string, instant: string): void {
  const failback = leaseOf(pass.state, session)?.lease.failback ?? null
  if (failback !== null) setFailback(pass, session, { ...failback, offered: null, notBefore: instant })
}

function setFailback(pass: AssignmentPass, session: string, failback: Failback): void {
  const held = leaseOf(pass.state, session)
  if (held === null) return
  pass.state = withAccount(pass.state, held.account.name, (account) => ({
    ...account,
    leases: account.leases.map((lease) => (lease.session === session ? { ...lease, failback } : lease)),
  }))
}
