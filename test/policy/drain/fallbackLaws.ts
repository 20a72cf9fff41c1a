/**
 * The oracle's laws for sessions without an account: which may go to a substrate and to which one, and when
 * they must fail back. Like the oracle itself, it knows the world and what was reported, and nothing of how
 * the pool decides.
 */
import { Clocks } from './clocks.js'
import { hour, minute } from './spans.js'
import type { ReportedWall, World } from './world.js'

/** What the oracle knows of accounts. */
export interface AccountKnowledge {
  /** Whether nothing that was reported, and reported recently, keeps the model out. */
  isKnownAble(account: string, model: string, now: number): boolean
  /** For how long at most an account may truly be able without being leased; null while it isn't able. */
  allowedDelay(account: string, model: string, now: number): number | null
  /**
   * The reported use, over all windows that bind the model and have not ended; null if nothing certain was
   * reported.
   */
  reportedUse(account: string, model: string, now: number): number | null
  occupants(place: string): number
  reportViolation(now: number, what: string): void
}

export interface PlaceRequest {
  model: string
  /** The substrates that the session accepts, in order. */
  fallback: readonly string[]
}

interface RefusalRecord {
  /** It must not be used before, and must not stay unused for longer than. */
  until: number
  atMost: number
  /** How long a refusal without a stated end may count, so far. */
  counts: number
  faults: number
  faultAt: number
  restsUntil: number
}

interface FallbackStay {
  model: string
  recalled: boolean
  /** The session was ordered back and found no room: it is not ordered back before this. */
  notBefore: number
}

/** What the pool learns at one instant may reach a host in any order. */
const sameInstantMs = 2_000
/** A session that failed to start on a place may skip it for so long. */
const excludedFor = 5 * minute
/** A session that was ordered back during a long turn has its place kept for so long. */
const reservedFor = 10 * minute
/** A session's share of an account, and the used share at which sessions move. */
const share = 0.1
const moveAt = 0.95

export class FallbackLaws {
  /** For the figures: a drain without fallbacks and failbacks would prove nothing. */
  readonly counts = { fallbacks: 0, failbacks: 0 }
  private readonly world: World
  private readonly accounts: AccountKnowledge
  private readonly wakeMargin: number
  private readonly retryEvery: number
  /**
   * For how long a substrate may be able while a session waits for one: a failed start, and the probes before
   * it.
   */
  private readonly baseDelay: number
  private readonly refusals = new Map<string, RefusalRecord>()
  private readonly fallbackStays = new Map<string, FallbackStay>()
  private readonly able = new Clocks()
  private readonly neglected = new Clocks()

  constructor(
    world: World,
    timing: { probeEvery: number; wakeMargin: number; retryEvery: number },
    accounts: AccountKnowledge,
  ) {
    this.world = world
    this.accounts = accounts
    this.wakeMargin = timing.wakeMargin
    this.retryEvery = timing.retryEvery
    this.baseDelay = timing.probeEvery + timing.wakeMargin + 2 * minute
    for (const { name } of world.substrates)
      this.refusals.set(name, {
        until: -Infinity,
        atMost: -Infinity,
        counts: 0,
        faults: 0,
        faultAt: -Infinity,
        restsUntil: -Infinity,
      })
  }

  /**
   * The pool sent the session to a substrate; `want` is undefined if the session could have stayed where it
   * was.
   */
  sentToSubstrate(
    session: string,
    model: string,
    name: string,
    want: PlaceRequest | undefined,
    now: number,
  ): void {
    this.counts.fallbacks += 1
    const report = (what: string): void =>
      this.accounts.reportViolation(now, `${session} (${model}) sent to the substrate ${name}: ${what}`)
    if (want === undefined) report('it could have stayed where it was')
    else {
      const order = want.fallback.indexOf(name)
      if (order < 0) report('the session does not accept it')
      for (const earlier of want.fallback.slice(0, Math.max(0, order)))
        if (
          now - this.heard(earlier).faultAt > excludedFor &&
          this.isLongAble(earlier, this.allowedDelay(earlier, now), now)
        )
          report(`${earlier} comes first and was able`)
    }
    for (const { name: account } of this.world.accounts)
      if (
        this.isLongAble(`${account} ${model}`, this.accounts.isKnownAble(account, model, now) ? 0 : null, now)
      )
        report(`${account} was known to be able`)
    const { until } = this.heard(name)
    if (now < until) report(`it refused, and was to rest until ${new Date(until).toISOString()}`)
    const { maxSessions } = this.world.substrate(name)!
    const inhabitants = this.accounts.occupants(name)
    if (maxSessions !== null && inhabitants >= maxSessions) report(`full: ${inhabitants} of ${maxSessions}`)
    this.fallbackStays.set(session, { model, recalled: false, notBefore: -Infinity })
  }

  /** The pool let a session go to an account while it ran on a substrate. */
  sentToAccount(session: string, model: string, account: string, now: number): void {
    if (!this.fallbackStays.has(session)) return
    this.counts.failbacks += 1
    const used = this.accounts.reportedUse(account, model, now)
    const limit = Math.min(moveAt, this.world.account(account).ceiling)
    if (used !== null && used > limit - share + 1e-9)
      this.accounts.reportViolation(
        now,
        `${session} ordered back to ${account}, which is at ${used} and soon spent`,
      )
  }

  /** The session is on no substrate any more. */
  left(session: string): void {
    this.fallbackStays.delete(session)
    for (const { name } of this.world.accounts) this.neglected.stop(`${session} ${name}`)
  }

  called(session: string): void {
    const stay = this.fallbackStays.get(session)
    if (stay !== undefined) stay.recalled = true
  }

  /** The session was ordered back and found no room; it is ordered back again after `until`. */
  stays(session: string, until: number): void {
    const stay = this.fallbackStays.get(session)
    if (stay !== undefined) Object.assign(stay, { recalled: false, notBefore: until })
  }

  walled(name: string, wall: ReportedWall): void {
    const heard = this.heard(name)
    const { cooldown } = this.world.substrate(name)!
    const at = Date.parse(wall.at)
    const stated = wall.resetsAt === null ? null : Date.parse(wall.resetsAt)
    // Refusals that several sessions meet while the substrate is to rest are one; soon after, they may count
    // as more.
    if (at >= heard.until) heard.counts = at > heard.atMost + 2 * hour ? cooldown : Math.max(cooldown, hour)
    heard.until = stated ?? Math.max(heard.until, at + cooldown)
    heard.atMost = (stated ?? Math.max(heard.atMost, at + heard.counts)) + this.wakeMargin
  }

  faulted(name: string, now: number): void {
    const heard = this.heard(name)
    heard.faults += 1
    heard.faultAt = now
    const rest = Math.min(hour, this.retryEvery * 2 ** (heard.faults - 1))
    heard.restsUntil = Math.max(heard.restsUntil, now + rest)
  }

  /**
   * For how long at most the substrate may be able while a session that accepts it waits; null while it isn't
   * able.
   */
  allowedDelay(name: string, now: number): number | null {
    const { atMost, restsUntil } = this.heard(name)
    if (now < atMost || now < restsUntil) return null
    const maxSessions = this.world.substrate(name)?.maxSessions ?? null
    return maxSessions !== null && this.accounts.occupants(name) >= maxSessions ? null : this.baseDelay
  }

  tick(now: number): void {
    for (const { name, maxSessions } of this.world.substrates) {
      this.able.held(name, this.allowedDelay(name, now), now)
      if (maxSessions !== null && this.accounts.occupants(name) > maxSessions)
        this.accounts.reportViolation(now, `${name} holds too many sessions`)
    }
    if (this.world.substrates.length === 0) return
    for (const { name } of this.world.accounts) {
      for (const model of new Set(this.world.sessions.map((session) => session.model)))
        this.able.held(`${name} ${model}`, this.accounts.isKnownAble(name, model, now) ? 0 : null, now)
      for (const [session, stay] of this.fallbackStays) this.checkStay(session, stay, name, now)
    }
  }

  private checkStay(session: string, stay: FallbackStay, account: string, now: number): void {
    const able = this.hasRoomFor(stay, account, now)
      ? this.accounts.allowedDelay(account, stay.model, now)
      : null
    // On unproven places the sessions try one after the other, and a place is kept for each.
    const bound = able === null ? null : able + (this.fallbackStays.size - 1) * reservedFor
    const held = this.neglected.held(`${session} ${account}`, bound, now)
    if (bound === null || held === null || held <= bound) return
    const minutes = Math.round(held / minute)
    this.accounts.reportViolation(
      now,
      `${session} (${stay.model}) was not ordered back in ${minutes} min with room on ${account}`,
    )
  }

  /**
   * Whether the account has room for all sessions on a fallback and more: none can be kept out for lack of
   * room.
   */
  private hasRoomFor(
    { model, recalled: called, notBefore }: FallbackStay,
    account: string,
    now: number,
  ): boolean {
    if (called || now < notBefore) return false
    const others = this.fallbackStays.size - 1
    const inhabitants = this.accounts.occupants(account)
    const { maxSessions, ceiling } = this.world.account(account)
    if (maxSessions !== null && inhabitants + others >= maxSessions) return false
    // One session at a time goes to an unproven account.
    if (others > 0 && this.world.isThrottled(account, now)) return false
    const will = share * (1 + others + inhabitants)
    return this.world.usedBy(account, model, now) + will <= Math.min(moveAt, ceiling)
  }

  /** Whether it is able, and was so already before anything that may have happened at the same instant. */
  private isLongAble(name: string, bound: number | null, now: number): boolean {
    const held = this.able.held(name, bound, now)
    return held !== null && held > sameInstantMs
  }

  private heard(name: string): RefusalRecord {
    const heard = this.refusals.get(name)
    if (heard === undefined) throw new Error(`no substrate ${name}`)
    return heard
  }
}
