/** One assignment pass: which session gets which account, which ones wait and why, which accounts to probe, when to decide again. */
import {
  chooseAccount,
  rankOf,
  sessionShare,
  type EligibleAccount,
  type AccountChoice,
} from './chooseAccount.js'
import {
  leaseOf,
  withAccount,
  withoutLease,
  type AccountRecord,
  type Lease,
  type PoolState,
  type WaitlistEntry,
} from './poolState.js'
import { withoutExpiredWalls } from './simulatedWall.js'
import { failbackFor, offerFailbacks, hasLastingRoom, postponeFailback } from './failback.js'
import { iso, toMs } from '../instants.js'
import { isVoluntaryMove, type LeaseGrant, type LeaseDenial, type LeaseRequest } from './lease.js'
import { extraProbeEvery } from '../account/probes.js'
import { isBlockedByPagesOnly, blockersOf, denialFor, type Blockers } from './denial.js'
import { AssignmentPass } from './assignmentPass.js'
import type { Candidate } from './candidate.js'
import type { Eligibility } from '../account/eligibility.js'
import { bindingWindows, tightestWindow } from '../account/windows.js'

export interface Decision {
  state: PoolState
  grants: { session: string; grant: LeaseGrant }[]
  denials: { session: string; denial: LeaseDenial }[]
  /** Sessions on a fallback for which an account has room now. */
  failbacks: { session: string; why: string }[]
  /** Accounts to probe now. Call `probeStarted` for each at once, and `probeEnded` when its probe has ended. */
  probes: string[]
  /** The first instant at which time alone may change the decision; null while no session waits or is on a fallback. */
  nextDecisionAt: string | null
}

/** With this much room on an account, no other one is probed before a session gets it. */
const comfortableRoom = 0.15

export function decide(state: PoolState, now: string): Decision {
  const pass = new AssignmentPass({ ...state, resend: [] }, toMs(now))
  const grants = state.resend.flatMap((session) => {
    const current = leaseOf(state, session)
    return current === null ? [] : [{ session, grant: grantOf(current.account, current.lease) }]
  })
  const denials: Decision['denials'] = []
  const waitlist: WaitlistEntry[] = []
  for (const entry of inServingOrder(state.waitlist)) {
    const { session } = entry.request
    const outcome = assign(pass, entry)
    if (outcome.grant !== null) grants.push({ session, grant: outcome.grant })
    if (outcome.denial !== null) denials.push({ session, denial: outcome.denial })
    if (outcome.requeued !== null) waitlist.push(outcome.requeued)
  }
  const failbacks = offerFailbacks(pass, waitlist)
  const { nextDecisionAt } = pass
  return {
    state: { ...withoutExpiredWalls(pass.state, now), waitlist },
    grants,
    denials,
    failbacks,
    probes: [...pass.probes],
    nextDecisionAt: nextDecisionAt === null ? null : iso(Math.max(nextDecisionAt, pass.now + 1)),
  }
}

/** By priority, then by waiting time. A session that can't be served does not hold up those behind it. */
const inServingOrder = (waiting: readonly WaitlistEntry[]): WaitlistEntry[] =>
  [...waiting].sort(
    (a, b) =>
      a.request.priority - b.request.priority ||
      compareText(a.since, b.since) ||
      compareText(a.request.session, b.request.session),
  )

/** Compares instants as texts: all are written in one form. */
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The denial for the session, if one is due, and its entry on the waitlist. */
interface AssignmentOutcome {
  grant: LeaseGrant | null
  denial: LeaseDenial | null
  requeued: WaitlistEntry | null
}

function assign(pass: AssignmentPass, entry: WaitlistEntry): AssignmentOutcome {
  const known = pass.knownOutcome(entry)
  if (known === 'deferred') return deferred(entry)
  if (known !== null) return deny(pass, entry, known)
  const { request } = entry
  const unserved: Candidate[] = []
  for (const model of wantedModels(pass.state, request)) {
    const candidates = pass.candidates(entry, model)
    const eligible = candidates.filter(
      (candidate) => isEligible(candidate) && hasLastingRoom(pass, candidate, request),
    )
    const choice = eligible.length === 0 ? null : chooseAmong(pass, request, model, eligible)
    if (
      shouldProbeFirst(pass, request, eligible, choice) &&
      pass.requestProbes(candidates.filter(isUnknown))
    ) {
      if (eligible.length === 0) pass.noteOutcome(entry, 'deferred')
      return deferred(entry)
    }
    if (choice !== null) return grantedOutcome(grant(pass, request, model, choice))
    // The next wave is moments away: no fallback is used until then, and no session is parked.
    if (isNextWaveNear(pass, candidates)) {
      if (eligible.length === 0) pass.noteOutcome(entry, 'deferred')
      return deferred(entry)
    }
    unserved.push(...candidates)
  }
  // An account that only waits for a person's answer is no reason to pay for a fallback.
  const fallbacks = isBlockedByPagesOnly(unserved) ? [] : pass.fallbackCandidates(entry)
  const fallback = fallbacks.find(isEligible)
  if (fallback !== undefined) {
    // An account that is probed within a moment is not skipped for something that costs.
    if (hasProbeSoon(pass, unserved)) return deferred(entry)
    return grantedOutcome(grantFallback(pass, request, fallback, unserved))
  }
  // Other accounts are probed too for sessions that can't be served, since windows also reset early.
  pass.requestProbes(unserved)
  const blockers = blockersOf([...unserved, ...fallbacks])
  if (!unserved.some(isEligible)) pass.noteOutcome(entry, blockers)
  return deny(pass, entry, blockers)
}

const deferred = (entry: WaitlistEntry): AssignmentOutcome => ({ grant: null, denial: null, requeued: entry })
const grantedOutcome = (grant: LeaseGrant): AssignmentOutcome => ({ grant, denial: null, requeued: null })

/** For a failback from a lesser model only better models will do. */
const wantedModels = (state: PoolState, request: LeaseRequest): LeaseRequest['models'] =>
  (request.cause === 'home' ? leaseOf(state, request.session)?.lease.failback?.request.models : undefined) ??
  request.models

function isNextWaveNear(pass: AssignmentPass, candidates: readonly Candidate[]): boolean {
  const ends = candidates.flatMap(({ eligibility, excludedUntil }) =>
    excludedUntil === null && eligibility.kind === 'ineligible' && eligibility.cause === 'throttled'
      ? [eligibility.until]
      : [],
  )
  for (const until of ends) pass.decideAgainAt(until)
  return ends.length > 0
}

function hasProbeSoon(pass: AssignmentPass, candidates: readonly Candidate[]): boolean {
  const soon = candidates.filter(
    (candidate) =>
      isUnknown(candidate) &&
      candidate.probeDueAt !== null &&
      candidate.probeDueAt <= pass.now + extraProbeEvery,
  )
  pass.requestProbes(soon)
  return soon.length > 0
}

const isEligible = ({ eligibility, excludedUntil }: Candidate): boolean =>
  excludedUntil === null && (eligibility.kind === 'proven' || eligibility.kind === 'unproven')

const isUnknown = ({ eligibility, excludedUntil }: Candidate): boolean =>
  excludedUntil === null && eligibility.kind === 'unknown'

const eligibleAccount = ({ account, eligibility }: Candidate): EligibleAccount => ({
  name: account.name,
  tightest: eligibility.kind === 'proven' ? eligibility.tightest : null,
  sessions: account.leases.length,
})

function chooseAmong(
  pass: AssignmentPass,
  request: LeaseRequest,
  model: string | null,
  eligible: readonly Candidate[],
): AccountChoice | null {
  const { settings, accounts } = pass.state
  const from = accounts.find(({ name }) => name === request.from)
  const windows = bindingWindows(from?.windows ?? [], model, settings.timing.wakeMargin, pass.now)
  const preference = {
    prefer: request.prefer,
    current: request.from,
    currentUsed: tightestWindow(windows)?.used ?? null,
    mustImprove: request.cause === 'near-limit',
    moveAt: settings.moveAt,
  }
  return chooseAccount(eligible.map(eligibleAccount), preference, pass.now)
}

/** Whether to probe unknown accounts first: if there is no choice, a poor one, or not the account that was asked for. */
function shouldProbeFirst(
  pass: AssignmentPass,
  { prefer }: LeaseRequest,
  eligible: readonly Candidate[],
  choice: AccountChoice | null,
): boolean {
  const chosen = eligible.find(({ account }) => account.name === choice?.account)
  if (chosen === undefined || chosen.eligibility.kind === 'unproven') return true
  if (prefer !== null && prefer !== chosen.account.name) return true
  return rankOf(eligibleAccount(chosen), pass.now) < comfortableRoom - sessionShare
}

const grantOf = ({ name, role }: AccountRecord, lease: Lease): LeaseGrant => ({
  requestId: lease.requestId,
  place: { kind: role === 'substrate' ? 'substrate' : 'account', name },
  model: lease.model,
  fence: lease.fence,
  why: lease.why,
})

function grant(
  pass: AssignmentPass,
  request: LeaseRequest,
  model: string | null,
  choice: AccountChoice,
): LeaseGrant {
  const { accounts } = pass.state
  const { prefer } = request
  const preferred = accounts.find(({ name }) => name === prefer && name !== choice.account)
  const instead =
    preferred === undefined
      ? ''
      : ` (${preferred.name} ${reasonAgainst(pass.assessFor(preferred, model, request).eligibility)})`
  const [first] = request.models
  const lesser = model === first ? '' : `, with ${model ?? 'the default model'}`
  return place(pass, request, { account: choice.account, model, why: `${choice.why}${lesser}${instead}` })
}

/** Characters of the reasons that one line lists. */
const maxReasonLength = 160

function grantFallback(
  pass: AssignmentPass,
  request: LeaseRequest,
  { account }: Candidate,
  unserved: readonly Candidate[],
): LeaseGrant {
  const { blockers } = blockersOf(unserved)
  const reason = blockers.map((one) => one.why()).join(', ') || 'the pool has no account'
  const why = `${account.name}, a fallback: ${reason}`.slice(0, maxReasonLength)
  return place(pass, request, { account: account.name, model: account.runs?.model ?? null, why })
}

interface Placement {
  account: string
  model: string | null
  why: string
}

function place(pass: AssignmentPass, request: LeaseRequest, { account, model, why }: Placement): LeaseGrant {
  const { session, requestId } = request
  const target = pass.state.accounts.find(({ name }) => name === account)
  if (target === undefined) throw new Error(`no account ${account} to be placed on`)
  const since = iso(pass.now)
  const fence = pass.state.fence + 1
  const lease = { session, fence, requestId, askedAt: request.at, model, since, why }
  const failback = failbackFor(request, target, model)
  const onTrial = target.role === 'pool' && pass.assess(target, model).eligibility.kind === 'unproven'
  pass.state = withAccount({ ...withoutLease(pass.state, session), fence }, account, (record) => ({
    ...record,
    leases: [...record.leases, { ...lease, failback }],
    trial: onTrial ? { session, since } : record.trial,
  }))
  return grantOf(target, { ...lease, failback })
}

const reasonAgainst = (eligibility: Eligibility): string =>
  eligibility.kind === 'ineligible'
    ? eligibility.why()
    : eligibility.kind === 'proven'
      ? 'failed just now'
      : 'is unproven'

function deny(pass: AssignmentPass, entry: WaitlistEntry, blockers: Blockers): AssignmentOutcome {
  const { now } = pass
  for (const { until, excludedUntil } of blockers.blockers) {
    pass.decideAgainAt(excludedUntil)
    pass.decideAgainAt(until)
  }
  const denied = denialFor(entry, blockers, pass.state.settings.timing, now)
  if (denied === null) {
    pass.decideAgainAt(entry.notified === null ? null : toMs(entry.notified.retryAt))
    return { grant: null, denial: null, requeued: entry }
  }
  const { key, denial } = denied
  if (entry.request.cause === 'home') postponeFailback(pass, entry.request.session, denial.retryAt)
  if (isVoluntaryMove(entry.request.cause)) return { grant: null, denial, requeued: null }
  const { why, retryAt } = denial
  pass.decideAgainAt(toMs(retryAt))
  return { grant: null, denial, requeued: { ...entry, notified: { key, why, retryAt } } }
}
