/** One round of the pool: who gets which account, who has to wait and why, whom to ask, when to look again. */
import { chooseAccount, rankOf, sessionShare, type Candidate, type Choice } from './chooseAccount.js'
import {
  isVoluntary,
  leaseOf,
  withAccount,
  withoutLease,
  type AccountRecord,
  type Lease,
  type PoolDesk,
  type Waiting,
} from './poolState.js'
import { withStanding } from './simulatedWall.js'
import { awayOf, callHome, isLasting, notCalledBefore } from './failback.js'
import { iso, ms } from '../instants.js'
import type { LeaseGrant, LeaseRefusal, LeaseRequest } from './lease.js'
import { extraProbeEvery } from '../account/probes.js'
import { isHeldByPagesAlone, obstaclesOf, refusalOf, type Obstacles } from './denial.js'
import { Round, type Prospect } from './candidates.js'
import type { Standing } from '../account/eligibility.js'
import { bindingWindows, tightestWindow } from '../account/windows.js'

export interface Decision {
  desk: PoolDesk
  grants: { session: string; grant: LeaseGrant }[]
  refusals: { session: string; refusal: LeaseRefusal }[]
  /** Sessions that are away from what they wanted, and for which there is room at home now. */
  calls: { session: string; why: string }[]
  /** Accounts to ask now. Say `probeStarted` for each at once, and `probeEnded` when its probe has come back or failed. */
  probes: string[]
  /** The first instant at which deciding again may change something by time alone; null while nobody waits or is away. */
  lookAgainAt: string | null
}

/** With this much room left to a session, nobody else needs to be asked before it gets its account. */
const comfortable = 0.15

export function decide(desk: PoolDesk, now: string): Decision {
  const round = new Round({ ...desk, resend: [] }, ms(now))
  const grants = desk.resend.flatMap((session) => {
    const held = leaseOf(desk, session)
    return held === null ? [] : [{ session, grant: grantOf(held.account, held.lease) }]
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
  const calls = callHome(round, still)
  const { lookAgainAt } = round
  return {
    desk: { ...withStanding(round.desk, now), waiting: still },
    grants,
    refusals,
    calls,
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
  if (alike === 'held') return held(waiting)
  if (alike !== null) return refuse(round, waiting, alike)
  const { request } = waiting
  const seen: Prospect[] = []
  for (const model of modelsOf(round.desk, request)) {
    const prospects = round.prospects(waiting, model)
    const able = prospects.filter((prospect) => isAble(prospect) && isLasting(round, prospect, request))
    const choice = able.length === 0 ? null : choose(round, request, model, able)
    if (worthAsking(round, request, able, choice) && round.ask(prospects.filter(isUnknown))) {
      if (able.length === 0) round.noteHopeless(waiting, 'held')
      return held(waiting)
    }
    if (choice !== null) return granted(grant(round, request, model, choice))
    // The next wave is moments away: nothing lesser is taken for that, and nobody is told to park.
    if (isNextWaveNear(round, prospects)) {
      if (able.length === 0) round.noteHopeless(waiting, 'held')
      return held(waiting)
    }
    seen.push(...prospects)
  }
  // What only waits for a person's answer is no reason to pay for something else.
  const fallbacks = isHeldByPagesAlone(seen) ? [] : round.fallbacks(waiting)
  const fallback = fallbacks.find(isAble)
  if (fallback !== undefined) {
    // An account that may be asked within a moment is not passed over for something that costs.
    if (isSoonKnown(round, seen)) return held(waiting)
    return granted(grantFallback(round, request, fallback, seen))
  }
  // For those who can't be served the others are asked too, by routine: windows also begin anew before their time.
  round.ask(seen)
  const obstacles = obstaclesOf([...seen, ...fallbacks])
  if (!seen.some(isAble)) round.noteHopeless(waiting, obstacles)
  return refuse(round, waiting, obstacles)
}

const held = (waiting: Waiting): Outcome => ({ grant: null, refusal: null, keep: waiting })
const granted = (grant: LeaseGrant): Outcome => ({ grant, refusal: null, keep: null })

/** On the way home from a lesser model only better ones will do. */
const modelsOf = (desk: PoolDesk, request: LeaseRequest): LeaseRequest['models'] =>
  (request.cause === 'home' ? leaseOf(desk, request.session)?.lease.away?.request.models : undefined) ??
  request.models

function isNextWaveNear(round: Round, prospects: readonly Prospect[]): boolean {
  const ends = prospects.flatMap(({ standing, excludedUntil }) =>
    excludedUntil === null && standing.kind === 'unable' && standing.cause === 'crowded'
      ? [standing.until]
      : [],
  )
  for (const until of ends) round.lookAgain(until)
  return ends.length > 0
}

function isSoonKnown(round: Round, prospects: readonly Prospect[]): boolean {
  const soon = prospects.filter(
    (prospect) =>
      isUnknown(prospect) && prospect.askAt !== null && prospect.askAt <= round.now + extraProbeEvery,
  )
  round.ask(soon)
  return soon.length > 0
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

function choose(
  round: Round,
  request: LeaseRequest,
  model: string | null,
  able: readonly Prospect[],
): Choice | null {
  const { settings, accounts } = round.desk
  const from = accounts.find(({ name }) => name === request.from)
  const known = bindingWindows(from?.windows ?? [], model, settings.timing.wakeMargin, round.now)
  const wish = {
    prefer: request.prefer,
    from: request.from,
    fromUsed: tightestWindow(known)?.used ?? null,
    choosy: request.cause === 'near-limit',
    moveAt: settings.moveAt,
  }
  return chooseAccount(able.map(candidateOf), wish, round.now)
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

const grantOf = ({ name, role }: AccountRecord, lease: Lease): LeaseGrant => ({
  requestId: lease.requestId,
  place: { kind: role === 'substrate' ? 'substrate' : 'account', name },
  model: lease.model,
  fence: lease.fence,
  why: lease.why,
})

function grant(round: Round, request: LeaseRequest, model: string | null, choice: Choice): LeaseGrant {
  const { accounts } = round.desk
  const { prefer } = request
  const wished = accounts.find(({ name }) => name === prefer && name !== choice.account)
  const instead =
    wished === undefined
      ? ''
      : ` (${wished.name} ${inTheWay(round.judgeFor(wished, model, request).standing)})`
  const [first] = request.models
  const lesser = model === first ? '' : `, with ${model ?? 'the default model'}`
  return place(round, request, { account: choice.account, model, why: `${choice.why}${lesser}${instead}` })
}

/** What is in the way at home is the reason; more of it than this no line has room for. */
const reasonMax = 160

function grantFallback(
  round: Round,
  request: LeaseRequest,
  { account }: Prospect,
  seen: readonly Prospect[],
): LeaseGrant {
  const { obstacles } = obstaclesOf(seen)
  const reason = obstacles.map((one) => one.why()).join(', ') || 'the pool has no account'
  const why = `${account.name}, a fallback: ${reason}`.slice(0, reasonMax)
  return place(round, request, { account: account.name, model: account.runs?.model ?? null, why })
}

interface Placing {
  account: string
  model: string | null
  why: string
}

function place(round: Round, request: LeaseRequest, { account, model, why }: Placing): LeaseGrant {
  const { session, requestId } = request
  const taken = round.desk.accounts.find(({ name }) => name === account)
  if (taken === undefined) throw new Error(`no account ${account} to be placed on`)
  const since = iso(round.now)
  const fence = round.desk.fence + 1
  const lease = { session, fence, requestId, askedAt: request.at, model, since, why }
  const away = awayOf(request, taken, model)
  const onTrial = taken.role === 'pool' && round.judge(taken, model).standing.kind === 'unproven'
  round.desk = withAccount({ ...withoutLease(round.desk, session), fence }, account, (record) => ({
    ...record,
    leases: [...record.leases, { ...lease, away }],
    trial: onTrial ? { session, since } : record.trial,
  }))
  return grantOf(taken, { ...lease, away })
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
  if (waiting.request.cause === 'home') notCalledBefore(round, waiting.request.session, refusal.retryAt)
  if (isVoluntary(waiting.request)) return { grant: null, refusal, keep: null }
  const { why, retryAt } = refusal
  round.lookAgain(ms(retryAt))
  return { grant: null, refusal, keep: { ...waiting, told: { key, why, retryAt } } }
}
