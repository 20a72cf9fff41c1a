/** The judgements of one assignment pass: each account is judged once for all requests that want the same. */
import { simulatedWallUntil } from './simulatedWall.js'
import type { AccountRecord, PoolState, WaitlistEntry } from './poolState.js'
import { earlier, formatClock, toMs } from '../instants.js'
import { isVoluntaryMove, type LeaseRequest } from './lease.js'
import { probeDueAt, isProbing } from '../account/probes.js'
import { blockingPage, pageText } from '../session/startPages.js'
import { probeTimeout } from '../account/accountRecord.js'
import type { Candidate } from './candidate.js'
import type { Blockers } from './denial.js'
import { eligibilityOf, substrateIneligibility, ineligible } from '../account/eligibility.js'

/** If no page is open anywhere, it makes no difference in which folder a session works. */
const requirementsOf = (request: LeaseRequest, { accounts }: PoolState): string => {
  const { agent, models, fallback, unfit, host, cwd = '', allowOpenPage = false } = request
  const requirements = [agent, models.join(), fallback?.join() ?? 'any', unfit.join()]
  const isPageAnywhere = accounts.some(({ pages }) => pages !== undefined)
  return [...requirements, ...(isPageAnywhere ? [host, cwd, String(allowOpenPage)] : [])].join(' ')
}

/** A page is named only if nothing else makes the account ineligible: other causes end by themselves. */
function withBlockingPage(
  candidate: Omit<Candidate, 'excludedUntil'>,
  request: LeaseRequest,
  now: number,
): Omit<Candidate, 'excludedUntil'> {
  if (candidate.eligibility.kind === 'ineligible') return candidate
  const page = blockingPage(candidate.account, request, now)
  if (page === null) return candidate
  return {
    ...candidate,
    eligibility: ineligible('page', () => pageText(page), toMs(page.until)),
    probeDueAt: null,
  }
}

/** The simulated wall, which takes the place of each account's eligibility for a drill's session; null for all others. */
function simulatedIneligibility(
  state: PoolState,
  session: string,
  now: number,
): Pick<Candidate, 'eligibility' | 'probeDueAt'> | null {
  const until = simulatedWallUntil(state, session, now)
  if (until === null) return null
  return {
    eligibility: ineligible(
      'walled',
      () => `counts as walled for a drill until ${formatClock(until, now)}`,
      until,
    ),
    probeDueAt: null,
  }
}

export class AssignmentPass {
  readonly now: number
  readonly probes = new Set<string>()
  nextDecisionAt: number | null = null
  private current: PoolState
  private readonly assessments = new Map<string, Omit<Candidate, 'excludedUntil'>>()

  private readonly outcomes = new Map<string, Blockers | 'deferred'>()

  constructor(initial: PoolState, now: number) {
    this.current = initial
    this.now = now
  }

  get state(): PoolState {
    return this.current
  }

  /** After a grant the earlier judgements no longer hold. */
  set state(state: PoolState) {
    this.current = state
    this.assessments.clear()
    this.outcomes.clear()
  }

  assess(account: AccountRecord, model: string | null): Omit<Candidate, 'excludedUntil'> {
    const key = `${account.name} ${model ?? ''}`
    const known = this.assessments.get(key)
    if (known !== undefined) return known
    const eligibility = eligibilityOf(this.state, account, model, this.now)
    const found = {
      account,
      eligibility,
      probeDueAt: probeDueAt(account, eligibility, this.state.settings.timing, this.now),
    }
    this.assessments.set(key, found)
    return found
  }

  /** The account as judged for this request. */
  assessFor(
    account: AccountRecord,
    model: string | null,
    request: LeaseRequest,
  ): Omit<Candidate, 'excludedUntil'> {
    return withBlockingPage(this.assess(account, model), request, this.now)
  }

  /** The accounts of the pool, as judged for a request for this model. */
  candidates({ request, since }: WaitlistEntry, model: string | null): Candidate[] {
    const pinnedTo = request.pinned ? request.prefer : null
    // A move without a target leads to another account. A failback may lead to the same one, on a better model.
    const leaves =
      isVoluntaryMove(request.cause) && request.cause !== 'home' && request.prefer !== request.from
        ? request.from
        : null
    const simulated = simulatedIneligibility(this.state, request.session, this.now)
    const candidates: Candidate[] = []
    for (const account of this.state.accounts) {
      if ((pinnedTo !== null && account.name !== pinnedTo) || account.name === leaves) continue
      const judged = this.assessFor(account, model, request)
      if (judged.eligibility.kind === 'ineligible' && judged.eligibility.cause === 'not-in-pool') continue
      candidates.push({
        ...judged,
        ...simulated,
        excludedUntil: this.excludedUntil(account.name, request, since),
      })
    }
    return candidates
  }

  /** The substrates for this request, in its order. None if it can stay where it is, or is pinned to one account. */
  fallbackCandidates({ request, since }: WaitlistEntry): Candidate[] {
    if (isVoluntaryMove(request.cause) || request.pinned) return []
    const substrates = this.state.accounts.filter(
      ({ name, role, removed, runs }) =>
        role === 'substrate' && !removed && runs?.agent === request.agent && !request.unfit.includes(name),
    )
    const inOrder =
      request.fallback === null
        ? substrates
        : request.fallback.flatMap((name) => substrates.filter((one) => one.name === name))
    return inOrder.map((account) => ({
      ...withBlockingPage(
        {
          account,
          eligibility: substrateIneligibility(account, this.state.settings.timing, this.now) ?? {
            kind: 'unproven',
          },
          probeDueAt: null,
        },
        request,
        this.now,
      ),
      excludedUntil: this.excludedUntil(account.name, request, since),
    }))
  }

  private excludedUntil(name: string, { exclude }: LeaseRequest, since: string): number | null {
    // Not for good: that would be a held state that nothing ends.
    const until = toMs(since) + this.state.settings.timing.failedStartExclusion
    return exclude.includes(name) && this.now < until ? until : null
  }

  /** The result of an earlier request of this pass that wanted the same and found no able account. */
  knownOutcome(entry: WaitlistEntry): Blockers | 'deferred' | null {
    return this.isUnrestricted(entry)
      ? (this.outcomes.get(requirementsOf(entry.request, this.state)) ?? null)
      : null
  }

  noteOutcome(entry: WaitlistEntry, outcome: Blockers | 'deferred'): void {
    if (this.isUnrestricted(entry)) this.outcomes.set(requirementsOf(entry.request, this.state), outcome)
  }

  /** Requests that take any account differ only in what `requirementsOf` returns. */
  private isUnrestricted({ request, since }: WaitlistEntry): boolean {
    if (request.pinned || isVoluntaryMove(request.cause)) return false
    if (simulatedWallUntil(this.state, request.session, this.now) !== null) return false
    return (
      request.exclude.length === 0 ||
      this.now >= toMs(since) + this.state.settings.timing.failedStartExclusion
    )
  }

  /** Requests probes of these accounts, as far as they are allowed now. True if an answer is on its way. */
  requestProbes(candidates: readonly Candidate[]): boolean {
    let underWay = false
    for (const { account, probeDueAt } of candidates) {
      if (isProbing(account, this.now)) {
        underWay = true
        this.decideAgainAt(account.probingSince === null ? null : toMs(account.probingSince) + probeTimeout)
      } else if (probeDueAt !== null && probeDueAt <= this.now) {
        underWay = true
        this.probes.add(account.name)
        this.decideAgainAt(this.now + probeTimeout)
      } else this.decideAgainAt(probeDueAt)
    }
    return underWay
  }

  decideAgainAt(at: number | null): void {
    this.nextDecisionAt = earlier(this.nextDecisionAt, at)
  }
}
