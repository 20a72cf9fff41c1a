/**
 * The world outside of Outpool, in virtual time: accounts with budgets that fill and begin anew, people who use them too,
 * usage probes that are throttled, logins that are lost and found, resets that come early, late, or unannounced.
 * Knows nothing of how sessions are driven and nothing of Outpool's decisions. Instants are milliseconds since the epoch.
 */
import { Random } from './random.js'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

export interface WorldOptions {
  seed: string
  start: number
  days: number
  accounts: number
  sessions: number
  /** How much is asked of the accounts: 1 keeps them near their limits most of the time. Default 1. */
  load?: number
}

/** The shapes in which the agent program would tell it. */
export interface ToldWindow {
  name: string
  used: number
  resetsAt: string | null
  readAt: string
  source: 'status-line' | 'usage-probe'
}
export interface ToldWall {
  kind: string
  scope: 'account' | `model:${string}`
  resetsAt: string | null
  evidence: string
  at: string
}
export type Trouble = { kind: 'wall'; wall: ToldWall } | { kind: 'login' }

export interface ProbeAnswer {
  windows: ToldWindow[]
  login: 'in' | 'out'
}

interface Span {
  from: number
  to: number
}

interface Budget {
  name: string
  /** Model family that it binds, or null for all. */
  family: string | null
  /** Used share of it per share of the 5-hour window. */
  weight: number
  length: number
  used: number
  /** When it truly begins anew; null while it has not begun. */
  endsAt: number | null
  /** What the agent says of it; null where it doesn't say. */
  stated: number | null
  fullSince: number | null
}

export interface WorldAccount {
  name: string
  ceiling: number
  maxSessions: number | null
  identity: string
  budgets: Budget[]
  loggedOut: Span[]
  throttled: Span[]
  /** When a person uses it beside us, and how fast (shares of the 5-hour window an hour). */
  people: (Span & { rate: number })[]
  /** Instants at which all budgets begin anew out of turn. */
  goodwill: number[]
  settledAt: number
  random: Random
  lastAnswer: ToldWindow[]
  running: Set<WorldSession>
}

export interface WorldSession {
  name: string
  model: string
  /** Shares of the 5-hour window an hour while it works. */
  rate: number
  active: Span[]
}

export class World {
  readonly accounts: WorldAccount[]
  readonly sessions: WorldSession[]
  readonly end: number
  private readonly accountOf = new Map<string, WorldAccount>()
  private readonly sessionOf = new Map<string, WorldSession>()
  private readonly edges: number[]

  readonly options: WorldOptions

  constructor(options: WorldOptions) {
    this.options = options
    this.end = options.start + options.days * day
    this.accounts = Array.from({ length: options.accounts }, (_, index) => this.makeAccount(index))
    this.sessions = Array.from({ length: options.sessions }, (_, index) => this.makeSession(index))
    for (const account of this.accounts) this.accountOf.set(account.name, account)
    for (const session of this.sessions) this.sessionOf.set(session.name, session)
    this.edges = this.collectEdges()
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

  /** A session's process runs on this account from now on. */
  place(session: string, account: string, now: number): void {
    this.settle(now)
    const placed = this.session(session)
    for (const other of this.accounts) other.running.delete(placed)
    this.account(account).running.add(placed)
  }

  remove(session: string, now: number): void {
    this.settle(now)
    for (const account of this.accounts) account.running.delete(this.session(session))
  }

  /** Brings every account's budgets to `now`; must not go back. */
  settle(now: number): void {
    for (const account of this.accounts) this.settleAccount(account, now)
  }

  /** The next instant after `now` at which something may change by itself: a budget fills or begins anew, a span begins or ends. */
  nextChange(now: number): number {
    this.settle(now)
    let next = this.edges[upperBound(this.edges, now)] ?? Infinity
    for (const account of this.accounts) next = Math.min(next, this.nextOf(account, now))
    return next
  }

  /** Whether the session works now; one that doesn't asks nobody, so it meets no trouble and hears nothing new. */
  isActive(session: string, now: number): boolean {
    return within(this.session(session).active, now)
  }

  isLoggedIn(account: string, now: number): boolean {
    return !within(this.account(account).loggedOut, now)
  }

  isThrottled(account: string, now: number): boolean {
    return within(this.account(account).throttled, now)
  }

  /** The budgets that refuse this model now, by the truth. */
  refusing(account: string, model: string, now: number): Budget[] {
    const found = this.account(account)
    this.settleAccount(found, now)
    return found.budgets.filter((budget) => budget.used >= 1 && binds(budget, model))
  }

  /** The share used of the tightest budget of this model, as the agent would show it. */
  usedBy(account: string, model: string, now: number): number {
    const found = this.account(account)
    this.settleAccount(found, now)
    return Math.max(
      ...found.budgets.filter((budget) => binds(budget, model)).map((budget) => shown(budget.used)),
    )
  }

  /** What a working session meets at its next request; null where all is well or it does not work now. */
  troubleOf(session: string, account: string, now: number): Trouble | null {
    const { model, active } = this.session(session)
    if (!within(active, now)) return null
    if (!this.isLoggedIn(account, now)) return { kind: 'login' }
    const refusing = this.refusing(account, model, now)
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
        resetsAt: told(budget.stated),
        evidence: 'the drain world',
        at: iso(now),
      },
    }
  }

  /** The status line of a session that just got an answer; it doesn't show the budgets of single models. */
  statusLine(account: string, now: number): ToldWindow[] {
    return this.tell(account, now, 'status-line').filter(
      ({ name }) => name === 'five_hour' || name === 'seven_day',
    )
  }

  /** A usage probe. Throttled, it shows nothing, or what it showed last time with the date of then. */
  probe(account: string, now: number): ProbeAnswer {
    const found = this.account(account)
    const login = this.isLoggedIn(account, now) ? 'in' : 'out'
    if (login === 'out') return { windows: [], login }
    if (this.isThrottled(account, now))
      return { windows: found.random.chance(0.3) ? found.lastAnswer : [], login }
    found.lastAnswer = this.tell(account, now, 'usage-probe')
    return { windows: found.lastAnswer, login }
  }

  private tell(account: string, now: number, source: ToldWindow['source']): ToldWindow[] {
    const found = this.account(account)
    this.settleAccount(found, now)
    return found.budgets.map((budget) => ({
      name: budget.name,
      used: shown(budget.used),
      resetsAt: told(budget.stated),
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

  /** Use per hour of the account, or of one model on it; nothing flows while the account refuses as a whole. */
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
    // Some walls outlive the reset that they state, and some say none.
    budget.endsAt = budget.stated + (random.chance(0.12) ? random.between(2, 45) * minute : 0)
    if (random.chance(0.08)) budget.stated = null
  }

  private turnOver(account: WorldAccount, at: number): void {
    const freed = account.goodwill.includes(at)
    for (const budget of account.budgets) {
      if (!freed && (budget.endsAt === null || budget.endsAt > at)) continue
      const weekly = budget.length > day
      const endedAt = budget.endsAt
      budget.used = 0
      budget.fullSince = null
      budget.endsAt = null
      budget.stated = null
      // A week follows on a week; five hours begin with the next use.
      if (weekly && endedAt !== null) this.begin(account, budget, at)
    }
  }

  private boundaryAfter(account: WorldAccount, at: number): number {
    return Math.min(this.edges[upperBound(this.edges, at)] ?? Infinity, this.nextOf(account, at))
  }

  /** When a budget of this account fills or ends next, if all goes on as now. */
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
      for (const at of account.goodwill) all.add(at)
    }
    for (const session of this.sessions) add(session.active)
    return [...all].sort((a, b) => a - b)
  }

  private makeAccount(index: number): WorldAccount {
    const { seed, start, load = 1 } = this.options
    const random = new Random(`${seed}/account/${index}`)
    const budget = (name: string, family: string | null, weight: number, length: number): Budget => ({
      name,
      family,
      weight,
      length,
      used: 0,
      endsAt: null,
      stated: null,
      fullSince: null,
    })
    const weekly = budget('seven_day', null, random.between(0.02, 0.09), 7 * day)
    const opus = budget('seven_day_opus', 'opus', random.between(0.05, 0.25), 7 * day)
    for (const one of [weekly, opus]) {
      one.used = random.between(0, 0.7)
      one.stated = one.endsAt = Math.round(start + random.between(0.1, 7) * day)
    }
    const fiveHour = random.chance(0.1) ? [] : [budget('five_hour', null, 1, 5 * hour)]
    const people = this.spans(random, random.between(0, 1), 30 * minute, 3 * hour)
    return {
      name: `max-${index + 1}`,
      ceiling: random.chance(0.25) ? 0.8 : 1,
      maxSessions: random.chance(0.3) ? 2 + Math.floor(random.between(0, 4)) : null,
      identity: `identity-${index + 1}`,
      budgets: [...fiveHour, weekly, opus],
      loggedOut: this.spans(random, random.between(0, 0.15), 10 * minute, 12 * hour),
      throttled: this.spans(random, random.between(0, 1.5), 10 * minute, 2 * hour),
      people: people.map((span) => ({ ...span, rate: random.between(0.05, 0.6) * load })),
      goodwill: this.spans(random, 0.1, minute, hour).map(({ from }) => from),
      settledAt: start,
      random,
      lastAnswer: [],
      running: new Set(),
    }
  }

  private makeSession(index: number): WorldSession {
    const random = new Random(`${this.options.seed}/session/${index}`)
    const pause = this.spans(random, random.between(0.2, 3), 20 * minute, 8 * hour)
    const active: Span[] = []
    let from = this.options.start
    for (const span of pause) {
      if (span.from > from) active.push({ from, to: span.from })
      from = span.to
    }
    if (from < this.end) active.push({ from, to: this.end })
    return {
      name: `s${index + 1}`,
      model: random.chance(0.25) ? 'opus' : 'sonnet',
      rate: random.between(0.005, 0.08) * (this.options.load ?? 1),
      active,
    }
  }

  /** Spans that do not overlap, `perDay` of them on average, in order. */
  private spans(random: Random, perDay: number, shortest: number, longest: number): Span[] {
    const spans: Span[] = []
    if (perDay <= 0) return spans
    const { start, days } = this.options
    let at = start
    for (;;) {
      at += Math.round((-Math.log(1 - random.next()) / perDay) * day) + 1
      if (at >= start + days * day) return spans
      const to = at + Math.round(random.between(shortest, longest))
      spans.push({ from: at, to })
      at = to
    }
  }
}

const binds = (budget: Budget, model: string): boolean => budget.family === null || budget.family === model

/** Whole percents, never rounded up: full is shown only when it is full. */
const shown = (used: number): number => Math.floor(used * 100) / 100

/** Instants are told in whole seconds. */
const told = (instant: number | null): string | null =>
  instant === null ? null : iso(Math.floor(instant / 1000) * 1000)

/** Most instants are written several times in a row. */
let written = { instant: NaN, text: '' }
export function iso(instant: number): string {
  if (written.instant !== instant) written = { instant, text: new Date(instant).toISOString() }
  return written.text
}

/** The spans are in order and do not overlap. */
function within(spans: readonly Span[], at: number): boolean {
  let low = 0
  let high = spans.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (spans[middle]!.to <= at) low = middle + 1
    else high = middle
  }
  const span = spans[low]
  return span !== undefined && at >= span.from
}

/** The index of the first that is greater than `at`. */
function upperBound(sorted: readonly number[], at: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= at) low = middle + 1
    else high = middle
  }
  return low
}
