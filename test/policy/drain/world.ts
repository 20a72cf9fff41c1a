/**
 * The world outside of Outpool, in virtual time: accounts with budgets that fill and reset, people who use
 * them too, usage probes that are throttled, logins that are lost and found, resets that come early, late or
 * unannounced, and substrates that refuse for a while. It knows nothing of how sessions are driven and
 * nothing of Outpool's decisions. Instants are milliseconds since the epoch.
 */
import {
  makeAccount,
  makeSession,
  makeSubstrate,
  type Budget,
  type ReportedWindow,
  type WorldAccount,
  type WorldOptions,
  type WorldSession,
  type WorldSubstrate,
} from './population.js'
import { day, hour, iso, minute, spanAt, upperBound, within, type Span } from './spans.js'

export interface ReportedWall {
  kind: string
  scope: 'account' | `model:${string}`
  resetsAt: string | null
  evidence: string
  at: string
}
export type Trouble = { kind: 'wall'; wall: ReportedWall } | { kind: 'login' }

export interface ProbeAnswer {
  windows: ReportedWindow[]
  login: 'in' | 'out'
}

export class World {
  readonly accounts: WorldAccount[]
  readonly sessions: WorldSession[]
  /** In the order in which they are to be used. */
  readonly substrates: WorldSubstrate[]
  readonly end: number
  private readonly accountOf = new Map<string, WorldAccount>()
  private readonly sessionOf = new Map<string, WorldSession>()
  private readonly changePoints: number[]

  readonly options: WorldOptions

  constructor(options: WorldOptions) {
    this.options = options
    this.end = options.start + options.days * day
    const { accounts, sessions, substrates = 0, excluded: without = [] } = options
    const until = { ...options, end: this.end }
    const create = <T extends { name: string }>(length: number, make: (index: number) => T): T[] =>
      Array.from({ length }, (_, index) => make(index)).filter(({ name }) => !without.includes(name))
    this.accounts = create(accounts, (index) => makeAccount(until, index))
    this.sessions = create(sessions, (index) => makeSession(until, index))
    this.substrates = create(substrates, (index) => makeSubstrate(until, index))
    for (const account of this.accounts) this.accountOf.set(account.name, account)
    for (const session of this.sessions) this.sessionOf.set(session.name, session)
    this.changePoints = this.collectEdges()
  }

  account(name: string): WorldAccount {
    const account = this.accountOf.get(name)
    if (account === undefined) throw new Error(`no account ${name}`)
    return account
  }

  session(name: string): WorldSession {
    const session = this.sessionOf.get(name)
    if (session === undefined) throw new Error(`no session ${name}`)
    return session
  }

  /** Undefined for an account. */
  substrate(name: string): WorldSubstrate | undefined {
    return this.substrates.find((one) => one.name === name)
  }

  /** A session's process runs here from now on; on a substrate it uses no account. */
  place(session: string, place: string, now: number): void {
    this.remove(session, now)
    if (this.substrate(place) === undefined) this.account(place).running.add(this.session(session))
  }

  remove(session: string, now: number): void {
    this.settle(now)
    for (const account of this.accounts) account.running.delete(this.session(session))
  }

  /** Brings every account's budgets to `now`; time must not go backwards. */
  settle(now: number): void {
    for (const account of this.accounts) this.settleAccount(account, now)
  }

  /**
   * The next instant after `now` at which something may change by itself: a budget fills or resets, a span
   * begins or ends.
   */
  nextChange(now: number): number {
    this.settle(now)
    let next = this.changePoints[upperBound(this.changePoints, now)] ?? Infinity
    for (const account of this.accounts) next = Math.min(next, this.nextOf(account, now))
    return next
  }

  /**
   * Whether the session works now; an idle one sends no requests, so it meets no failures and learns nothing
   * new.
   */
  isActive(session: string, now: number): boolean {
    return within(this.session(session).active, now)
  }

  isLoggedIn(account: string, now: number): boolean {
    return !within(this.account(account).loggedOut, now)
  }

  isThrottled(account: string, now: number): boolean {
    return within(this.account(account).throttled, now)
  }

  /** The budgets that truly refuse this model now. */
  refusing(account: string, model: string, now: number): Budget[] {
    const found = this.account(account)
    this.settleAccount(found, now)
    return found.budgets.filter((budget) => budget.used >= 1 && binds(budget, model))
  }

  /** The used share of the tightest budget of this model, as the agent would show it. */
  usedBy(account: string, model: string, now: number): number {
    const found = this.account(account)
    this.settleAccount(found, now)
    return Math.max(
      ...found.budgets.filter((budget) => binds(budget, model)).map((budget) => shown(budget.used)),
    )
  }

  /**
   * The failure that a working session meets at its next request; null if all is well or it does not work
   * now.
   */
  troubleOf(session: string, place: string, now: number): Trouble | null {
    const { model, active } = this.session(session)
    if (!within(active, now)) return null
    const substrate = this.substrate(place)
    if (substrate !== undefined) return refusalOf(substrate, now)
    if (!this.isLoggedIn(place, now)) return { kind: 'login' }
    const refusing = this.refusing(place, model, now)
    const budget = refusing.reduce<Budget | null>(
      (last, one) => (last === null || (one.endsAt ?? 0) > (last.endsAt ?? 0) ? one : last),
      null,
    )
    if (budget === null) return null
    return {
      kind: 'wall',
      wall: {
        kind: budget.name,
        scope: budget.family === null ? 'account' : `model:${budget.family}`,
        resetsAt: formatReset(budget.stated),
        evidence,
        at: iso(now),
      },
    }
  }

  /** The status line of a session that just got an answer; it doesn't show the budgets of single models. */
  readStatusLine(account: string, now: number): ReportedWindow[] {
    return this.reportWindows(account, now, 'status-line').filter(
      ({ name }) => name === 'five_hour' || name === 'seven_day',
    )
  }

  /** A usage probe. Throttled, it shows nothing, or the previous result with its old date. */
  probe(account: string, now: number): ProbeAnswer {
    const found = this.account(account)
    const login = this.isLoggedIn(account, now) ? 'in' : 'out'
    if (login === 'out') return { windows: [], login }
    if (this.isThrottled(account, now))
      return { windows: found.random.chance(0.3) ? found.lastAnswer : [], login }
    found.lastAnswer = this.reportWindows(account, now, 'usage-probe')
    return { windows: found.lastAnswer, login }
  }

  private reportWindows(account: string, now: number, source: ReportedWindow['source']): ReportedWindow[] {
    const found = this.account(account)
    this.settleAccount(found, now)
    return found.budgets.map((budget) => ({
      name: budget.name,
      used: shown(budget.used),
      resetsAt: formatReset(budget.stated),
      readAt: iso(now),
      source,
    }))
  }

  private settleAccount(account: WorldAccount, now: number): void {
    while (account.settledAt < now) {
      const at = account.settledAt
      const until = Math.min(now, this.boundaryAfter(account, at))
      const hours = (until - at) / hour
      const general = this.rate(account, at, null)
      const any = general > 0 || account.running.size > 0
      if (any) {
        for (const budget of account.budgets) {
          const rate =
            budget.family === null ? this.rate(account, at, null) : this.rate(account, at, budget.family)
          if (rate <= 0) continue
          if (budget.endsAt === null) this.begin(account, budget, at)
          budget.used = Math.min(1, budget.used + rate * hours * budget.weight)
          // Filled up to rounding: full is full.
          if (budget.used > 1 - 1e-9) budget.used = 1
        }
      }
      for (const budget of account.budgets) if (budget.used >= 1) budget.fullSince ??= until
      account.settledAt = until
      this.turnOver(account, until)
    }
  }

  /** Use per hour of the account, or of one model on it; nothing is used while the whole account refuses. */
  private rate(account: WorldAccount, at: number, family: string | null): number {
    if (account.budgets.some((budget) => budget.family === null && budget.used >= 1)) return 0
    if (within(account.loggedOut, at)) return 0
    let rate = 0
    for (const session of account.running) {
      if (!within(session.active, at)) continue
      if (family !== null && session.model !== family) continue
      if (
        account.budgets.some(
          (budget) => budget.family !== null && budget.family === session.model && budget.used >= 1,
        )
      )
        continue
      rate += session.rate
    }
    if (family === null)
      for (const person of account.people) if (at >= person.from && at < person.to) rate += person.rate
    return rate
  }

  private begin(account: WorldAccount, budget: Budget, at: number): void {
    const { random } = account
    budget.stated = at + budget.length
    // Some walls outlive the reset that they state, and some state none.
    budget.endsAt = budget.stated + (random.chance(0.12) ? random.between(2, 45) * minute : 0)
    if (random.chance(0.08)) budget.stated = null
  }

  private turnOver(account: WorldAccount, at: number): void {
    for (const { at: shockAt, budget: name, endsAt, stated } of account.shocks) {
      if (shockAt !== at) continue
      for (const budget of account.budgets)
        if (budget.name === name) Object.assign(budget, { used: 1, fullSince: at, endsAt, stated })
    }
    const freed = account.earlyResets.includes(at)
    for (const budget of account.budgets) {
      if (!freed && (budget.endsAt === null || budget.endsAt > at)) continue
      const weekly = budget.length > day
      const endedAt = budget.endsAt
      budget.used = 0
      budget.fullSince = null
      budget.endsAt = null
      budget.stated = null
      // A weekly window follows the last one at once; a five-hour window begins with the next use.
      if (weekly && endedAt !== null) this.begin(account, budget, at)
    }
  }

  private boundaryAfter(account: WorldAccount, at: number): number {
    return Math.min(
      this.changePoints[upperBound(this.changePoints, at)] ?? Infinity,
      this.nextOf(account, at),
    )
  }

  /** When a budget of this account next fills or ends, if use continues as now. */
  private nextOf(account: WorldAccount, at: number): number {
    let next = Infinity
    const general = this.rate(account, at, null)
    for (const budget of account.budgets) {
      if (budget.endsAt !== null && budget.endsAt > at) next = Math.min(next, budget.endsAt)
      if (budget.used >= 1) continue
      const rate = (budget.family === null ? general : this.rate(account, at, budget.family)) * budget.weight
      if (rate > 0) next = Math.min(next, at + Math.max(1, Math.ceil(((1 - budget.used) / rate) * hour)))
    }
    return next
  }

  private collectEdges(): number[] {
    const all = new Set<number>()
    const add = (spans: Span[]): void => {
      for (const { from, to } of spans) all.add(from).add(to)
    }
    for (const account of this.accounts) {
      add(account.loggedOut)
      add(account.throttled)
      add(account.people)
      for (const at of account.earlyResets) all.add(at)
      for (const { at } of account.shocks) all.add(at)
    }
    for (const session of this.sessions) add(session.active)
    for (const substrate of this.substrates) add(substrate.refusals)
    return [...all].sort((a, b) => a - b)
  }
}

const evidence = 'the drain world'

function refusalOf({ refusals }: WorldSubstrate, now: number): Trouble | null {
  const refusal = spanAt(refusals, now)
  if (refusal === undefined) return null
  const stated = refusal.stated !== null && refusal.stated > now ? refusal.stated : null
  return {
    kind: 'wall',
    wall: { kind: 'transient', scope: 'account', resetsAt: formatReset(stated), evidence, at: iso(now) },
  }
}

const binds = (budget: Budget, model: string): boolean => budget.family === null || budget.family === model

/** Whole percents, never rounded up: full is shown only when it is full. */
const shown = (used: number): number => Math.floor(used * 100) / 100

/** Instants are stated in whole seconds. */
const formatReset = (instant: number | null): string | null =>
  instant === null ? null : iso(Math.floor(instant / 1000) * 1000)
