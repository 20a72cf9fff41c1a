/**
 * Says from outside whether a pool did right. It knows the true world, and of what was said to the pool only what was
 * said; of how the pool decides it knows nothing. Whoever drives sessions tells it each event and calls `tick` whenever
 * something may have changed. Instants are milliseconds since the epoch.
 */
import { AwayLaws, type Accounts, type Want } from './awayLaws.js'
import type { ToldWindow } from './cast.js'
import { Clocks } from './clocks.js'
import {
  binds,
  contradicted,
  endOf,
  forgetOutdated,
  isBarred,
  nothingHeard,
  type Hearsay,
} from './hearsay.js'
import { hour, minute } from './spans.js'
import type { ToldWall, World } from './world.js'

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

interface Wanting extends Want {
  /** How long each place has been able for this session, by the truth. */
  able: Clocks
}

/** One that failed to start on an account may leave it out for so long. */
const leftOut = 5 * minute

export class Oracle implements Accounts {
  readonly violations: string[] = []
  private readonly hearsay = new Map<string, Hearsay>()
  private readonly places = new Map<string, Place>()
  private readonly wanting = new Map<string, Wanting>()
  readonly awayLaws: AwayLaws
  /** The longest that anybody was parked with an able account free: for the figures. */
  longestNeglect = 0

  private readonly world: World
  private readonly timing: OracleTiming

  constructor(world: World, timing: OracleTiming) {
    this.world = world
    this.timing = timing
    this.awayLaws = new AwayLaws(world, timing, this)
    for (const { name } of world.accounts) this.hearsay.set(name, nothingHeard())
  }

  /** A session wants an account from now on and runs nowhere. */
  wants(session: string): void {
    this.leave(session)
    const { model, fallback } = this.world.session(session)
    const all = this.world.substrates.map(({ name }) => name)
    this.wanting.set(session, {
      model,
      fallback: fallback?.filter((name) => all.includes(name)) ?? all,
      able: new Clocks(),
    })
  }

  /** The pool gave this place to the session. */
  granted(session: string, place: string, now: number): void {
    const { model } = this.world.session(session)
    const want = this.wanting.get(session)
    const isSubstrate = this.world.substrate(place) !== undefined
    if (!isSubstrate && !this.hearsay.has(place)) {
      this.say(now, `${session} sent to ${place}, which is not the pool's`)
      return
    }
    if (!isSubstrate) this.awayLaws.sentHome(session, model, place, now)
    this.leave(session)
    this.wanting.delete(session)
    if (isSubstrate) {
      this.awayLaws.sentAway(session, model, place, want, now)
      this.places.set(session, { account: place, since: now, informed: true })
    } else this.sentTo(place, session, model, now)
  }

  private sentTo(account: string, session: string, model: string, now: number): void {
    const heard = this.heard(account)
    const spec = this.world.account(account)
    const say = (what: string): void => this.say(now, `${session} (${model}) sent to ${account}: ${what}`)

    if (heard.loggedOut) say('it was said to be logged out')
    for (const [name, wall] of heard.walls) {
      if (!binds(name, model) || contradicted(heard, name, wall)) continue
      if (now < endOf(wall)) say(`walled by ${name} until ${when(endOf(wall))}`)
    }
    let pastReset = -Infinity
    for (const [name, said] of heard.windows) {
      if (!binds(name, model)) continue
      if (said.resetsAt !== null && now >= said.resetsAt + this.timing.wakeMargin && said.at < said.resetsAt)
        pastReset = Math.max(pastReset, said.resetsAt)
      else if (said.used >= 1 && now < endOf(said)) say(`${name} was read as full`)
      else if (said.used >= spec.ceiling && now < endOf(said))
        say(`${name} was read as ${said.used}, above its ceiling of ${spec.ceiling}`)
    }
    for (const [name, wall] of heard.walls)
      if (binds(name, model) && !contradicted(heard, name, wall)) pastReset = Math.max(pastReset, endOf(wall))

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
    this.awayLaws.left(session)
    const heard = this.hearsay.get(place.account)
    if (heard?.trial === session) heard.trial = null
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
        if (window.source === 'status-line' && this.at(account).length === 1) forgetOutdated(heard, at)
        heard.trial = null
      }
      if (window.source === 'status-line') heard.faults = 0
    }
    for (const place of this.at(account)) if (heard.read > place.since) place.informed = true
  }

  /** A wall was reported to the pool, as it was met. */
  walled(account: string, wall: ToldWall): void {
    if (this.world.substrate(account) !== undefined) {
      this.awayLaws.walled(account, wall)
      return
    }
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
    if (this.world.substrate(account) !== undefined) {
      this.awayLaws.faulted(account, now)
      return
    }
    const heard = this.heard(account)
    heard.faults += 1
    heard.faultAt = now
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
    this.awayLaws.tick(now)
    if (this.wanting.size === 0) return
    const bounds = new Map<string, number | null>()
    for (const [session, want] of this.wanting) {
      for (const { name } of this.world.accounts) {
        const key = `${name}/${want.model}`
        let bound = bounds.get(key)
        if (bound === undefined) bounds.set(key, (bound = this.patience(name, want.model, now)))
        this.lookAt(session, want, name, bound, now)
      }
      for (const name of want.fallback)
        this.lookAt(session, want, name, this.awayLaws.patience(name, now), now)
    }
  }

  private lookAt(session: string, want: Wanting, name: string, bound: number | null, now: number): void {
    const held = want.able.held(name, bound, now)
    if (bound === null || held === null) return
    this.longestNeglect = Math.max(this.longestNeglect, held)
    if (held <= bound) return
    this.say(
      now,
      `${session} (${want.model}) has been parked for ${Math.round(held / minute)} min with ${name} free`,
    )
    want.able.stop(name)
  }

  /** For how long at most an account may be able for a model without anybody who waits getting it; null while it isn't able. */
  patience(name: string, model: string, now: number): number | null {
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
    const barred = isBarred(heard, { model, ceiling, wakeMargin: timing.wakeMargin }, now)
    if (!world.isThrottled(name, now)) {
      if (heard.loggedOut) return plain + timing.retryEvery
      // What begins anew before its stated time is looked for less often.
      return barred ? plain + 30 * minute : plain
    }
    // Nobody can tell: one at a time may try, once all that was said of it has run out.
    return barred || inhabitants.length > 0 || heard.loggedOut ? null : plain
  }

  isKnownAble(account: string, model: string, now: number): boolean {
    const heard = this.heard(account)
    const { maxSessions, ceiling } = this.world.account(account)
    if (heard.loggedOut || heard.restsUntil > now || heard.faultAt > now - leftOut) return false
    if (maxSessions !== null && this.at(account).length >= maxSessions) return false
    for (const [kind, wall] of heard.walls)
      if (binds(kind, model) && !contradicted(heard, kind, wall)) return false
    const used = this.saidUsed(account, model, now)
    return used !== null && used < ceiling && used < 1
  }

  saidUsed(account: string, model: string, now: number): number | null {
    const heard = this.heard(account)
    if (now - heard.read > this.timing.probeEvery) return null
    let most: number | null = null
    for (const [kind, { used, resetsAt, at }] of heard.windows) {
      if (!binds(kind, model)) continue
      if (resetsAt !== null && at < resetsAt && now >= resetsAt + this.timing.wakeMargin) return null
      most = Math.max(most ?? 0, used)
    }
    return most
  }

  inhabitants(place: string): number {
    return this.at(place).length
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

  say(now: number, what: string): void {
    this.violations.push(`${new Date(now).toISOString()} ${what}`)
  }
}

const when = (instant: number): string => new Date(instant).toISOString().slice(5, 16)
