/**
 * Says from outside whether a pool did right. It knows the true world, and of what was said to the pool only what was
 * said; of how the pool decides it knows nothing. Whoever drives sessions tells it each event and calls `tick` whenever
 * something may have changed. Instants are milliseconds since the epoch.
 */
import type { ToldWall, ToldWindow, World } from './world.js'

const minute = 60_000
const hour = 60 * minute

export interface OracleTiming {
  probeEvery: number
  wakeMargin: number
  retryEvery: number
}

interface Said {
  used: number
  /** Stated reset, or null. */
  resetsAt: number | null
  at: number
}

/** What was said of an account, as far as a pool could have heard it. */
interface Hearsay {
  windows: Map<string, Said>
  /** When a wall of this kind was last met. */
  walls: Map<string, Said>
  /** Last probe, whether or not it said anything, and last one that did. */
  asked: number
  answered: number
  /** Last reading of a window that binds all. */
  read: number
  loggedOut: boolean
  faults: number
  restsUntil: number
  trial: string | null
  probes: number[]
}

interface Place {
  account: string
  since: number
  informed: boolean
}

interface Wanting {
  model: string
  since: number
  /** Since when each account has been able for this session, by the truth, and what was allowed for it then. */
  ableSince: Map<string, { since: number; bound: number }>
}

export class Oracle {
  readonly violations: string[] = []
  private readonly hearsay = new Map<string, Hearsay>()
  private readonly places = new Map<string, Place>()
  private readonly wanting = new Map<string, Wanting>()
  /** The longest that anybody was parked with an able account free: for the figures. */
  longestNeglect = 0

  private readonly world: World
  private readonly timing: OracleTiming

  constructor(world: World, timing: OracleTiming) {
    this.world = world
    this.timing = timing
    for (const { name } of world.accounts)
      this.hearsay.set(name, {
        windows: new Map(),
        walls: new Map(),
        asked: -Infinity,
        answered: -Infinity,
        read: -Infinity,
        loggedOut: false,
        faults: 0,
        restsUntil: 0,
        trial: null,
        probes: [],
      })
  }

  /** A session wants an account from now on and runs nowhere. */
  wants(session: string, model: string, now: number): void {
    this.leave(session)
    this.wanting.set(session, { model, since: now, ableSince: new Map() })
  }

  /** The pool gave this account to the session. */
  granted(session: string, model: string, account: string, now: number): void {
    this.leave(session)
    this.wanting.delete(session)
    const heard = this.heard(account)
    const spec = this.world.account(account)
    const say = (what: string): void => this.say(now, `${session} (${model}) sent to ${account}: ${what}`)

    if (heard.loggedOut) say('it was said to be logged out')
    for (const [name, wall] of heard.walls) {
      if (!this.binds(name, model) || this.contradicted(heard, name, wall)) continue
      if (now < this.endOf(wall)) say(`walled by ${name} until ${when(this.endOf(wall))}`)
    }
    let pastReset = -Infinity
    for (const [name, said] of heard.windows) {
      if (!this.binds(name, model)) continue
      if (said.resetsAt !== null && now >= said.resetsAt + this.timing.wakeMargin && said.at < said.resetsAt)
        pastReset = Math.max(pastReset, said.resetsAt)
      else if (said.used >= 1 && now < this.endOf(said)) say(`${name} was read as full`)
      else if (said.used >= spec.ceiling && now < this.endOf(said))
        say(`${name} was read as ${said.used}, above its ceiling of ${spec.ceiling}`)
    }
    for (const [name, wall] of heard.walls)
      if (this.binds(name, model) && !this.contradicted(heard, name, wall))
        pastReset = Math.max(pastReset, this.endOf(wall))

    const inhabitants = this.at(account)
    if (spec.maxSessions !== null && inhabitants.length >= spec.maxSessions)
      say(`full: ${inhabitants.length} of ${spec.maxSessions}`)
    const fresh = now - heard.read <= this.timing.probeEvery || inhabitants.some((place) => place.informed)
    const informed = heard.read > -Infinity && pastReset === -Infinity && fresh
    if (!informed) {
      const stale = heard.read === -Infinity ? 0 : heard.read + this.timing.probeEvery
      const doubtful = pastReset > -Infinity ? pastReset : stale
      if (heard.asked < doubtful) say('nothing sure was known of it, and it was not asked first')
      if (now - heard.asked > this.timing.probeEvery) say('it was asked too long ago')
      if (heard.trial !== null) say(`unproven, and ${heard.trial} is already trying it`)
      heard.trial = session
    }
    this.places.set(session, { account, since: now, informed })
  }

  /** The session runs nowhere any more. */
  leave(session: string): void {
    const place = this.places.get(session)
    if (place === undefined) return
    this.places.delete(session)
    const heard = this.heard(place.account)
    if (heard.trial === session) heard.trial = null
  }

  /** These windows of an account were told to the pool. Old tales are recognised by their date. */
  told(account: string, windows: readonly ToldWindow[]): void {
    const heard = this.heard(account)
    // A status line that says what was known may be one that repeats itself: nobody can take it for news.
    const isNews = windows.some((window) => {
      const before = heard.windows.get(window.name)
      const resetsAt = window.resetsAt === null ? null : Date.parse(window.resetsAt)
      return window.source !== 'status-line' || before?.used !== window.used || before.resetsAt !== resetsAt
    })
    if (!isNews) return
    for (const window of windows) {
      const at = Date.parse(window.readAt)
      const before = heard.windows.get(window.name)
      if (before !== undefined && before.at >= at) continue
      heard.windows.set(window.name, {
        used: window.used,
        resetsAt: window.resetsAt === null ? null : Date.parse(window.resetsAt),
        at,
      })
      if (!window.name.includes('opus')) heard.read = Math.max(heard.read, at)
      const trial = heard.trial === null ? undefined : this.places.get(heard.trial)
      if (trial !== undefined && at > trial.since) {
        // An answer to the only session there proves that its model is let in, whatever ran out before.
        if (window.source === 'status-line' && this.at(account).length === 1) this.forgetOutdated(heard, at)
        heard.trial = null
      }
      if (window.source === 'status-line') heard.faults = 0
    }
    for (const place of this.at(account)) if (heard.read > place.since) place.informed = true
  }

  private forgetOutdated(heard: Hearsay, now: number): void {
    for (const [kind, wall] of heard.walls) if (this.contradicted(heard, kind, wall)) heard.walls.delete(kind)
    for (const facts of [heard.windows, heard.walls])
      for (const [kind, fact] of facts)
        if (kind.includes('opus') && this.endOf(fact) <= now) facts.delete(kind)
  }

  /** A wall was reported to the pool. */
  walled(account: string, wall: ToldWall): void {
    const heard = this.heard(account)
    const at = Date.parse(wall.at)
    const before = heard.walls.get(wall.kind)
    if (before !== undefined && before.at >= at) return
    heard.walls.set(wall.kind, {
      used: 1,
      resetsAt: wall.resetsAt === null ? null : Date.parse(wall.resetsAt),
      at,
    })
  }

  login(account: string, login: 'in' | 'out'): void {
    this.heard(account).loggedOut = login === 'out'
  }

  /** A start on the account failed, or its login was lost: the pool may let it rest. */
  faulted(account: string, now: number): void {
    const heard = this.heard(account)
    heard.faults += 1
    heard.restsUntil = Math.max(
      heard.restsUntil,
      now + Math.min(hour, this.timing.retryEvery * 2 ** (heard.faults - 1)),
    )
  }

  probed(account: string, at: number, answered: boolean): void {
    const heard = this.heard(account)
    const last = heard.probes.at(-1)
    if (last !== undefined && at - last < minute) this.say(at, `${account} asked twice within a minute`)
    heard.probes = [...heard.probes.filter((one) => at - one < hour), at]
    if (heard.probes.length > 20) this.say(at, `${account} asked ${heard.probes.length} times within an hour`)
    heard.asked = at
    if (answered) heard.answered = at
  }

  /** To be called at every change of the world and after every decision. */
  tick(now: number): void {
    for (const { name, maxSessions } of this.world.accounts)
      if (maxSessions !== null && this.at(name).length > maxSessions)
        this.say(now, `${name} holds too many sessions`)
    if (this.wanting.size === 0) return
    const able = new Map<string, number | null>()
    for (const [session, want] of this.wanting) {
      for (const { name } of this.world.accounts) {
        const key = `${name}/${want.model}`
        let bound = able.get(key)
        if (bound === undefined) able.set(key, (bound = this.patience(name, want.model, now)))
        if (bound === null) {
          want.ableSince.delete(name)
          continue
        }
        const clock = want.ableSince.get(name)
        if (clock?.bound !== bound) want.ableSince.set(name, { since: now, bound })
        else {
          const { since } = clock
          this.longestNeglect = Math.max(this.longestNeglect, now - since)
          if (now - since > bound) {
            this.say(
              now,
              `${session} (${want.model}) has been parked for ${Math.round((now - since) / minute)} min with ${name} free`,
            )
            want.ableSince.set(name, { since: now, bound })
          }
        }
      }
    }
  }

  /** For how long at most an account may be able for a model without anybody who waits getting it; null while it isn't able. */
  private patience(name: string, model: string, now: number): number | null {
    const { world, timing } = this
    const heard = this.heard(name)
    const { ceiling, maxSessions } = world.account(name)
    if (!world.isLoggedIn(name, now) || world.refusing(name, model, now).length > 0) return null
    if (world.usedBy(name, model, now) >= ceiling) return null
    const inhabitants = this.at(name)
    if (maxSessions !== null && inhabitants.length >= maxSessions) return null
    if (heard.restsUntil > now) return null
    // A routine probe, the margin after a reset, and the time that a probe takes.
    const plain = timing.probeEvery + timing.wakeMargin + 2 * minute
    const barred = this.isBarred(heard, model, ceiling, now)
    if (!world.isThrottled(name, now)) {
      if (heard.loggedOut) return plain + timing.retryEvery
      // What begins anew before its stated time is looked for less often.
      return barred ? plain + 30 * minute : plain
    }
    // Nobody can tell: one at a time may try, once all that was said of it has run out.
    return barred || inhabitants.length > 0 || heard.loggedOut ? null : plain
  }

  /** Whether what was said of the account keeps the model out, rightly or not. */
  private isBarred(heard: Hearsay, model: string, ceiling: number, now: number): boolean {
    const bars = (kind: string, fact: Said): boolean =>
      fact.used >= ceiling && this.binds(kind, model) && now < this.endOf(fact) + this.timing.wakeMargin
    for (const [kind, fact] of heard.walls)
      if (bars(kind, fact) && !this.contradicted(heard, kind, fact)) return true
    for (const [kind, fact] of heard.windows) if (bars(kind, fact)) return true
    return false
  }

  /** Until when a fact has to be believed: its stated reset, or half an hour where none is stated that can be true. */
  private endOf({ resetsAt, at }: Said): number {
    return resetsAt !== null && resetsAt > at ? resetsAt : at + 30 * minute
  }

  /** A newer reading of the very window shows room. */
  private contradicted(heard: Hearsay, kind: string, wall: Said): boolean {
    const window = heard.windows.get(kind)
    return window !== undefined && window.at > wall.at && window.used < 1
  }

  private binds(kind: string, model: string): boolean {
    return !kind.includes('opus') || model.includes('opus')
  }

  private at(account: string): Place[] {
    const places: Place[] = []
    for (const place of this.places.values()) if (place.account === account) places.push(place)
    return places
  }

  private heard(account: string): Hearsay {
    const heard = this.hearsay.get(account)
    if (heard === undefined) throw new Error(`no account ${account}`)
    return heard
  }

  private say(now: number, what: string): void {
    this.violations.push(`${new Date(now).toISOString()} ${what}`)
  }
}

const when = (instant: number): string => new Date(instant).toISOString().slice(5, 16)
