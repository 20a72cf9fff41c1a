/** One round of the pool: who gets which account, who has to wait and why, whom to ask, when to look again. */
import { chooseAccount, rankOf, sessionShare, type Candidate, type Choice } from './chooseAccount.js'
import { isVoluntary, leaseOf, withAccount, withoutLease, type PoolDesk, type Waiting } from './desk.js'
import { iso, ms } from './instants.js'
import type { LeaseGrant, LeaseRefusal, LeaseRequest } from './lease.js'
import { obstaclesOf, refusalOf, type Obstacles } from './refuse.js'
import { Round, type Prospect } from './round.js'
import type { Standing } from './standing.js'
import { bindingWindows, tightestWindow } from './windows.js'

export interface Decision {
  desk: PoolDesk
  grants: { session: string; grant: LeaseGrant }[]
  refusals: { session: string; refusal: LeaseRefusal }[]
  /** Accounts to ask now. Say `probeStarted` for each at once, and `probeEnded` when its probe has come back or failed. */
  probes: string[]
  /** The first instant at which deciding again may change something by time alone; null while nobody waits. */
  lookAgainAt: string | null
}

/** With this much room left to a session, nobody else needs to be asked before it gets its account. */
const comfortable = 0.15

export function decide(desk: PoolDesk, now: string): Decision {
  const round = new Round({ ...desk, resend: [] }, ms(now))
  const grants = desk.resend.flatMap((session) => {
    const held = leaseOf(desk, session)
    return held === null ? [] : [{ session, grant: grantOf(held.account.name, held.lease) }]
  })
  const refusals: Decision['refusals'] = []
  const still: Waiting[] = []
  for (const waiting of inTurn(desk.waiting)) {
    const { session } = waiting.request
    const outcome = serve(round, waiting)
    if (outcome.grant !== null) grants.push({ session, grant: outcome.grant })
    if (outcome.refusal !== null) refusals.push({ session, refusal: outcome.refusal })
    if (outcome.keep !== null) still.push(outcome.keep)
  }
  const { lookAgainAt } = round
  return {
    desk: { ...round.desk, waiting: still },
    grants,
    refusals,
    probes: [...round.probes],
    lookAgainAt: lookAgainAt === null ? null : iso(Math.max(lookAgainAt, round.now + 1)),
  }
}

/** Priority first, then who has waited longest. One that can't be served holds up nobody behind it. */
const inTurn = (waiting: readonly Waiting[]): Waiting[] =>
  [...waiting].sort(
    (a, b) =>
      a.request.priority - b.request.priority ||
      byText(a.since, b.since) ||
      byText(a.request.session, b.request.session),
  )

/** Instants of ours are all written alike, so that their order is that of their texts. */
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What the session is told, if anything, and what stays in the queue. */
interface Outcome {
  grant: LeaseGrant | null
  refusal: LeaseRefusal | null
  keep: Waiting | null
}

function serve(round: Round, waiting: Waiting): Outcome {
  const alike = round.hopeless(waiting)
  if (alike === 'held') return { grant: null, refusal: null, keep: waiting }
  if (alike !== null) return refuse(round, waiting, alike)
  const prospects = round.prospects(waiting)
  const able = prospects.filter(isAble)
  const choice = able.length === 0 ? null : choose(round, waiting.request, able)
  if (worthAsking(round, waiting.request, able, choice) && round.ask(prospects.filter(isUnknown))) {
    if (able.length === 0) round.noteHopeless(waiting, 'held')
    return { grant: null, refusal: null, keep: waiting }
  }
  if (choice !== null) return { grant: grant(round, waiting.request, choice), refusal: null, keep: null }
  // For those who can't be served the others are asked too, by routine: windows also begin anew before their time.
  round.ask(prospects)
  const obstacles = obstaclesOf(prospects)
  if (able.length === 0) round.noteHopeless(waiting, obstacles)
  return refuse(round, waiting, obstacles)
}

const isAble = ({ standing, excludedUntil }: Prospect): boolean =>
  excludedUntil === null && (standing.kind === 'proven' || standing.kind === 'unproven')

const isUnknown = ({ standing, excludedUntil }: Prospect): boolean =>
  excludedUntil === null && standing.kind === 'unknown'

const candidateOf = ({ account, standing }: Prospect): Candidate => ({
  name: account.name,
  tightest: standing.kind === 'proven' ? standing.tightest : null,
  sessions: account.leases.length,
})

function choose(round: Round, request: LeaseRequest, able: readonly Prospect[]): Choice | null {
  const { settings, accounts } = round.desk
  const from = accounts.find(({ name }) => name === request.from)
  const known = bindingWindows(from?.windows ?? [], request.model, settings.timing.wakeMargin, round.now)
  const wish = {
    prefer: request.prefer,
    from: request.from,
    fromUsed: tightestWindow(known)?.used ?? null,
    choosy: choosiness(request),
    moveAt: settings.moveAt,
  }
  return chooseAccount(able.map(candidateOf), wish, round.now)
}

function choosiness({ cause }: LeaseRequest): 'any' | 'lasting' | 'clearly-better' {
  if (cause === 'near-limit') return 'clearly-better'
  return cause === 'home' ? 'lasting' : 'any'
}

/** Whether to ask the unknown accounts before taking the choice: where there is none, a poor one, or not the one asked for. */
function worthAsking(
  round: Round,
  { prefer }: LeaseRequest,
  able: readonly Prospect[],
  choice: Choice | null,
): boolean {
  const chosen = able.find(({ account }) => account.name === choice?.account)
  if (chosen === undefined || chosen.standing.kind === 'unproven') return true
  if (prefer !== null && prefer !== chosen.account.name) return true
  return rankOf(candidateOf(chosen), round.now) < comfortable - sessionShare
}

const grantOf = (account: string, lease: Omit<LeaseGrant, 'account'>): LeaseGrant => ({
  requestId: lease.requestId,
  account,
  fence: lease.fence,
  why: lease.why,
})

function grant(round: Round, request: LeaseRequest, choice: Choice): LeaseGrant {
  const { session, requestId, model, prefer } = request
  const { accounts } = round.desk
  const wished = accounts.find(({ name }) => name === prefer && name !== choice.account)
  const instead =
    wished === undefined ? '' : ` (${wished.name} ${inTheWay(round.judge(wished, model).standing)})`
  const why = `${choice.why}${instead}`
  const since = iso(round.now)
  const fence = round.desk.fence + 1
  const lease = { session, fence, requestId, askedAt: request.at, model, since, why }
  const taken = accounts.find(({ name }) => name === choice.account)
  const onTrial = taken !== undefined && round.judge(taken, model).standing.kind === 'unproven'
  round.desk = withAccount({ ...withoutLease(round.desk, session), fence }, choice.account, (account) => ({
    ...account,
    leases: [...account.leases, lease],
    trial: onTrial ? { session, since } : account.trial,
  }))
  return grantOf(choice.account, lease)
}

const inTheWay = (standing: Standing): string =>
  standing.kind === 'unable' ? standing.why() : standing.kind === 'proven' ? 'failed just now' : 'is unproven'

function refuse(round: Round, waiting: Waiting, found: Obstacles): Outcome {
  const { now } = round
  for (const { until, excludedUntil } of found.obstacles) {
    round.lookAgain(excludedUntil)
    round.lookAgain(until)
  }
  const news = refusalOf(waiting, found, round.desk.settings.timing, now)
  if (news === null) {
    round.lookAgain(waiting.told === null ? null : ms(waiting.told.retryAt))
    return { grant: null, refusal: null, keep: waiting }
  }
  const { key, refusal } = news
  if (isVoluntary(waiting.request)) return { grant: null, refusal, keep: null }
  const { why, retryAt } = refusal
  round.lookAgain(ms(retryAt))
  return { grant: null, refusal, keep: { ...waiting, told: { key, why, retryAt } } }
}
