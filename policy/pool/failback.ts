/** Sessions away from home (on a substrate, or on a lesser model): when they are called back, and where to. */
import type { LeaseRequest } from './lease.js'
import { leaseOf, withAccount, type AccountRecord, type Away, type Lease, type Waiting } from './poolState.js'
import { sessionShare } from './chooseAccount.js'
import { iso, ms } from '../instants.js'
import { askAt } from '../account/probes.js'
import { obstaclesOf } from './denial.js'
import type { Prospect, Round } from './candidates.js'
import { unable } from '../account/eligibility.js'
import { announcedReset, lastRead, leaveAt } from '../account/windows.js'

/** How the session that is placed here gets back to what it asked for; null where it has just that. */
export function awayOf(
  request: LeaseRequest,
  { role, name }: AccountRecord,
  model: string | null,
): Away | null {
  const lesser = request.models.indexOf(model)
  if (role !== 'substrate' && lesser <= 0) return null
  const models = role === 'substrate' ? request.models : request.models.slice(0, lesser)
  return {
    request: { ...request, models, cause: 'home', from: name, exclude: [], readings: [] },
    called: null,
    notBefore: null,
  }
}

/**
 * Whether a session on its way home would not have to leave again within a turn or two: there is a session's share of room
 * left, beside what those will use who came since the account was read or are on their way. Others are in no way choosy here.
 */
export function isLasting(
  round: Round,
  { account, standing }: Prospect,
  { cause, session }: Pick<LeaseRequest, 'cause' | 'session'>,
): boolean {
  if (cause !== 'home') return true
  const coming = comingTo(round, account.name, session)
  if (account.maxSessions !== null && account.leases.length + coming >= account.maxSessions) return false
  if (standing.kind !== 'proven') return coming === 0
  const read = lastRead(account.windows) ?? -Infinity
  const fresh = account.leases.filter((lease) => ms(lease.since) > read && lease.session !== session).length
  const limit = leaveAt(round.desk.settings.moveAt, account.ceiling)
  // Without the allowance, a tenth would be more than the difference of 0.95 and 0.85.
  return standing.tightest.used + sessionShare * (fresh + coming + 1) <= limit + 1e-9
}

function comingTo(round: Round, account: string, except: string): number {
  // One that does not come within this is in a long turn.
  const { placeKept } = round.desk.settings.timing
  const keptUntil = round.desk.accounts.flatMap(({ leases }) =>
    leases.flatMap(({ session, away }) => {
      const called = away?.called ?? null
      return called?.to === account && session !== except ? [ms(called.at) + placeKept] : []
    }),
  )
  const kept = keptUntil.filter((until) => round.now < until)
  for (const until of kept) round.lookAgain(until)
  return kept.length
}

/** Those for whom there is room now, priority first, then who has been away longest. Each is called once, until it has come. */
export function callHome(round: Round, waiting: readonly Waiting[]): { session: string; why: string }[] {
  const asking = new Set(waiting.map(({ request }) => request.session))
  const away = round.desk.accounts
    .flatMap(({ leases }) =>
      leases.flatMap((lease) => (lease.away === null ? [] : [{ lease, away: lease.away }])),
    )
    .filter(({ lease, away }) => away.called === null && !asking.has(lease.session))
    .sort(
      (a, b) => a.away.request.priority - b.away.request.priority || ms(a.lease.since) - ms(b.lease.since),
    )
  return away.flatMap(({ lease, away }) => {
    if (away.notBefore !== null && ms(away.notBefore) > round.now) {
      round.lookAgain(ms(away.notBefore))
      return []
    }
    const home = homeFor(round, lease, away)
    if (home === null) return []
    setAway(round, lease.session, { ...away, called: { at: iso(round.now), to: home } })
    return [{ session: lease.session, why: `${home} is able again` }]
  })
}

/** The account to which the session could go now, or null; then the accounts are asked as for one that waits. */
function homeFor(round: Round, lease: Lease, { request }: Away): string | null {
  const waiting: Waiting = { request, since: lease.since, told: null, left: null }
  const seen: Prospect[] = []
  for (const model of request.models) {
    const prospects = round.prospects(waiting, model)
    const able = prospects.filter(
      (prospect) =>
        (prospect.standing.kind === 'proven' || prospect.standing.kind === 'unproven') &&
        isLasting(round, prospect, request),
    )
    const best = able.find(({ standing }) => standing.kind === 'proven') ?? able[0]
    if (best !== undefined) return best.account.name
    seen.push(...prospects.map((prospect) => untilThereIsRoom(round, prospect)))
  }
  round.ask(seen)
  for (const { until } of obstaclesOf(seen).obstacles) round.lookAgain(until)
  return null
}

/** One that could be used, but not for long, is waited for like one above its ceiling: of those who sit there none may say when. */
function untilThereIsRoom(round: Round, prospect: Prospect): Prospect {
  const { account, standing } = prospect
  if (standing.kind !== 'proven') return prospect
  const { timing } = round.desk.settings
  const reset = announcedReset(standing.tightest)
  const until = reset === null ? null : reset + timing.wakeMargin
  const short = unable('ceiling', () => 'has no lasting room', until)
  return { ...prospect, standing: short, askAt: askAt(account, short, timing, round.now) }
}

/** It came, and there was no room after all. */
export function notCalledBefore(round: Round, session: string, instant: string): void {
  const away = leaseOf(round.desk, session)?.lease.away ?? null
  if (away !== null) setAway(round, session, { ...away, called: null, notBefore: instant })
}

function setAway(round: Round, session: string, away: Away): void {
  const held = leaseOf(round.desk, session)
  if (held === null) return
  round.desk = withAccount(round.desk, held.account.name, (account) => ({
    ...account,
    leases: account.leases.map((lease) => (lease.session === session ? { ...lease, away } : lease)),
  }))
}
