/**
 * Judges a pool from outside. It knows the true world, and what was reported to the pool; it knows nothing of
 * how the pool decides. The driver of the sessions passes it each event and calls `tick` whenever something
 * may have changed. Instants are milliseconds since the epoch.
 */
import { FallbackLaws, type AccountKnowledge, type PlaceRequest } from './fallbackLaws.js'
import type { ReportedWindow } from './population.js'
import { Clocks } from './clocks.js'
import {
  binds,
  isContradicted,
  endOf,
  dropOutdated,
  isBlocked,
  nothingReported,
  type ReportedState,
} from './reportedState.js'
import { hour, minute } from './spans.js'
import type { ReportedWall, World } from './world.js'

export interface OracleTiming {
  probeEvery: number
  wakeMargin: number
  retryEvery: number
}

interface Place {
  account: string
  since: number
  informed: boolean
}

interface WaitingSession extends PlaceRequest {
  /** How long each place has truly been able for this session. */
  able: Clocks
}

/** A session that failed to start on an account may skip it for so long. */
const excludedFor = 5 * minute

export class Oracle implements AccountKnowledge {
  readonly violations: string[] = []
  private readonly reportedStates = new Map<string, ReportedState>()
  private readonly places = new Map<string, Place>()
  private readonly waiting = new Map<string, WaitingSession>()
  readonly fallbackLaws: FallbackLaws
  /** The longest time that a session was parked with an able account free: for the figures. */
  longestNeglect = 0

  private readonly world: World
  private readonly timing: OracleTiming

  constructor(world: World, timing: OracleTiming) {
    this.world = world
    this.timing = timing
    this.fallbackLaws = new FallbackLaws(world, timing, this)
    for (const { name } of world.accounts) this.reportedStates.set(name, nothingReported())
  }

  /** The session wants an account from now on and runs nowhere. */
  requestsPlace(session: string): void {
    this.leave(session)
    const { model, fallback } = this.world.session(session)
    const all = this.world.substrates.map(({ name }) => name)
    this.waiting.set(session, {
      model,
      fallback: fallback?.filter((name) => all.includes(name)) ?? all,
      able: new Clocks(),
    })
  }

  /** The pool gave this place to the session. */
  granted(session: string, place: string, now: number): void {
    const { model } = this.world.session(session)
    const want = this.waiting.get(session)
    const isSubstrate = this.world.substrate(place) !== undefined
    if (!isSubstrate && !this.reportedStates.has(place)) {
      this.reportViolation(now, `${session} sent to ${place}, which is not the pool's`)
      return
    }
    if (!isSubstrate) this.fallbackLaws.sentToAccount(session, model, place, now)
    this.leave(session)
    this.waiting.delete(session)
    if (isSubstrate) {
      this.fallbackLaws.sentToSubstrate(session, model, place, want, now)
      this.places.set(session, { account: place, since: now, informed: true })
    } else this.sentTo(place, session, model, now)
  }

  private sentTo(account: string, session: string, model: string, now: number): void {
    const reported = this.reportedFor(account)
    const spec = this.world.account(account)
    const report = (what: string): void =>
      this.reportViolation(now, `${session} (${model}) sent to ${account}: ${what}`)

    if (reported.loggedOut) report('it was reported as logged out')
    for (const [name, wall] of reported.walls) {
      if (!binds(name, model) || isContradicted(reported, name, wall)) continue
      if (now < endOf(wall)) report(`walled by ${name} until ${formatInstant(endOf(wall))}`)
    }
    let pastReset = -Infinity
    for (const [name, said] of reported.windows) {
      if (!binds(name, model)) continue
      if (said.resetsAt !== null && now >= said.resetsAt + this.timing.wakeMargin && said.at < said.resetsAt)
        pastReset = Math.max(pastReset, said.resetsAt)
      else if (said.used >= 1 && now < endOf(said)) report(`${name} was read as full`)
      else if (said.used >= spec.ceiling && now < endOf(said))
        report(`${name} was read as ${said.used}, above its ceiling of ${spec.ceiling}`)
    }
    for (const [name, wall] of reported.walls)
      if (binds(name, model) && !isContradicted(reported, name, wall))
        pastReset = Math.max(pastReset, endOf(wall))

    const inhabitants = this.at(account)
    if (spec.maxSessions !== null && inhabitants.length >= spec.maxSessions)
      report(`full: ${inhabitants.length} of ${spec.maxSessions}`)
    const fresh =
      now - reported.readAt <= this.timing.probeEvery || inhabitants.some((place) => place.informed)
    const informed = reported.readAt > -Infinity && pastReset === -Infinity && fresh
    if (!informed) {
      const stale = reported.readAt === -Infinity ? 0 : reported.readAt + this.timing.probeEvery
      const doubtful = pastReset > -Infinity ? pastReset : stale
      if (reported.probedAt < doubtful) report('nothing certain was known of it, and it was not probed first')
      if (now - reported.probedAt > this.timing.probeEvery) report('it was probed too long ago')
      if (reported.trial !== null) report(`unproven, and ${reported.trial} is already trying it`)
      reported.trial = session
    }
    this.places.set(session, { account, since: now, informed })
  }

  /** The session runs nowhere any more. */
  leave(session: string): void {
    const place = this.places.get(session)
    if (place === undefined) return
    this.places.delete(session)
    this.fallbackLaws.left(session)
    const reportedFor = this.reportedStates.get(place.account)
    if (reportedFor?.trial === session) reportedFor.trial = null
  }

  /**
   * These windows of an account were reported to the pool. Outdated readings are recognised by their date.
   */
  windowsReported(account: string, windows: readonly ReportedWindow[]): void {
    const reported = this.reportedFor(account)
    // A status line that shows what was known already may be a repeated one: the pool cannot treat it as a
    // new reading.
    const isNews = windows.some((window) => {
      const before = reported.windows.get(window.name)
      const resetsAt = window.resetsAt === null ? null : Date.parse(window.resetsAt)
      return window.source !== 'status-line' || before?.used !== window.used || before.resetsAt !== resetsAt
    })
    if (!isNews) return
    for (const window of windows) {
      const at = Date.parse(window.readAt)
      const before = reported.windows.get(window.name)
      if (before !== undefined && before.at >= at) continue
      reported.windows.set(window.name, {
        used: window.used,
        resetsAt: window.resetsAt === null ? null : Date.parse(window.resetsAt),
        at,
      })
      if (!window.name.includes('opus')) reported.readAt = Math.max(reported.readAt, at)
      const trial = reported.trial === null ? undefined : this.places.get(reported.trial)
      if (trial !== undefined && at > trial.since) {
        // An answer to the only session there proves that its model is accepted, whatever ran out before.
        if (window.source === 'status-line' && this.at(account).length === 1) dropOutdated(reported, at)
        reported.trial = null
      }
      if (window.source === 'status-line') reported.faults = 0
    }
    for (const place of this.at(account)) if (reported.readAt > place.since) place.informed = true
  }

  /** A wall was reported to the pool, as the session met it. */
  walled(account: string, wall: ReportedWall): void {
    if (this.world.substrate(account) !== undefined) {
      this.fallbackLaws.walled(account, wall)
      return
    }
    const reported = this.reportedFor(account)
    const at = Date.parse(wall.at)
    const before = reported.walls.get(wall.kind)
    if (before !== undefined && before.at >= at) return
    reported.walls.set(wall.kind, {
      used: 1,
      resetsAt: wall.resetsAt === null ? null : Date.parse(wall.resetsAt),
      at,
    })
  }

  login(account: string, login: 'in' | 'out'): void {
    this.reportedFor(account).loggedOut = login === 'out'
  }

  /** A start on the account failed, or its login was lost: the pool may let it rest. */
  faulted(account: string, now: number): void {
    if (this.world.substrate(account) !== undefined) {
      this.fallbackLaws.faulted(account, now)
      return
    }
    const reported = this.reportedFor(account)
    reported.faults += 1
    reported.faultAt = now
    reported.restsUntil = Math.max(
      reported.restsUntil,
      now + Math.min(hour, this.timing.retryEvery * 2 ** (reported.faults - 1)),
    )
  }

  probed(account: string, at: number, answered: boolean): void {
    const reported = this.reportedFor(account)
    const last = reported.probes.at(-1)
    if (last !== undefined && at - last < minute)
      this.reportViolation(at, `${account} probed twice within a minute`)
    reported.probes = [...reported.probes.filter((one) => at - one < hour), at]
    if (reported.probes.length > 20)
      this.reportViolation(at, `${account} probed ${reported.probes.length} times within an hour`)
    reported.probedAt = at
    if (answered) reported.answeredAt = at
  }

  /** Call this at every change of the world and after every decision. */
  tick(now: number): void {
    for (const { name, maxSessions } of this.world.accounts)
      if (maxSessions !== null && this.at(name).length > maxSessions)
        this.reportViolation(now, `${name} holds too many sessions`)
    this.fallbackLaws.tick(now)
    if (this.waiting.size === 0) return
    const bounds = new Map<string, number | null>()
    for (const [session, want] of this.waiting) {
      for (const { name } of this.world.accounts) {
        const key = `${name}/${want.model}`
        let bound = bounds.get(key)
        if (bound === undefined) bounds.set(key, (bound = this.allowedDelay(name, want.model, now)))
        this.checkWaiting(session, want, name, bound, now)
      }
      for (const name of want.fallback)
        this.checkWaiting(session, want, name, this.fallbackLaws.allowedDelay(name, now), now)
    }
  }

  private checkWaiting(
    session: string,
    want: WaitingSession,
    name: string,
    bound: number | null,
    now: number,
  ): void {
    const held = want.able.held(name, bound, now)
    if (bound === null || held === null) return
    this.longestNeglect = Math.max(this.longestNeglect, held)
    if (held <= bound) return
    this.reportViolation(
      now,
      `${session} (${want.model}) has been parked for ${Math.round(held / minute)} min with ${name} free`,
    )
    want.able.stop(name)
  }

  /**
   * For how long at most an account may be able for a model while a session waits for it; null while it isn't
   * able.
   */
  allowedDelay(name: string, model: string, now: number): number | null {
    const { world, timing } = this
    const reported = this.reportedFor(name)
    const { ceiling, maxSessions } = world.account(name)
    if (!world.isLoggedIn(name, now) || world.refusing(name, model, now).length > 0) return null
    if (world.usedBy(name, model, now) >= ceiling) return null
    const inhabitants = this.at(name)
    if (maxSessions !== null && inhabitants.length >= maxSessions) return null
    if (reported.restsUntil > now) return null
    // A routine probe, the margin after a reset, and the duration of a probe.
    const plain = timing.probeEvery + timing.wakeMargin + 2 * minute
    const barred = isBlocked(reported, { model, ceiling, wakeMargin: timing.wakeMargin }, now)
    if (!world.isThrottled(name, now)) {
      if (reported.loggedOut) return plain + timing.retryEvery
      // A reset that comes before its stated time is looked for less often.
      return barred ? plain + 30 * minute : plain
    }
    // Unproven: one session at a time may try, once everything reported about the account has expired.
    return barred || inhabitants.length > 0 || reported.loggedOut ? null : plain
  }

  isKnownAble(account: string, model: string, now: number): boolean {
    const reported = this.reportedFor(account)
    const { maxSessions, ceiling } = this.world.account(account)
    if (reported.loggedOut || reported.restsUntil > now || reported.faultAt > now - excludedFor) return false
    if (maxSessions !== null && this.at(account).length >= maxSessions) return false
    for (const [kind, wall] of reported.walls)
      if (binds(kind, model) && !isContradicted(reported, kind, wall)) return false
    const used = this.reportedUse(account, model, now)
    return used !== null && used < ceiling && used < 1
  }

  reportedUse(account: string, model: string, now: number): number | null {
    const reported = this.reportedFor(account)
    if (now - reported.readAt > this.timing.probeEvery) return null
    let most: number | null = null
    for (const [kind, { used, resetsAt, at }] of reported.windows) {
      if (!binds(kind, model)) continue
      if (resetsAt !== null && at < resetsAt && now >= resetsAt + this.timing.wakeMargin) return null
      most = Math.max(most ?? 0, used)
    }
    return most
  }

  occupants(place: string): number {
    return this.at(place).length
  }

  private at(account: string): Place[] {
    const places: Place[] = []
    for (const place of this.places.values()) if (place.account === account) places.push(place)
    return places
  }

  private reportedFor(account: string): ReportedState {
    const heard = this.reportedStates.get(account)
    if (heard === undefined) throw new Error(`no account ${account}`)
    return heard
  }

  reportViolation(now: number, what: string): void {
    this.violations.push(`${new Date(now).toISOString()} ${what}`)
  }
}

const formatInstant = (instant: number): string => new Date(instant).toISOString().slice(5, 16)
