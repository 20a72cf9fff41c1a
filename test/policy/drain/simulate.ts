/** Drives sessions and the pool's desk through a world in virtual time, with no engine: the desk's decisions and nothing else. */
import { defaultTiming, type AccountReading, type Timing } from '../../../policy/account.js'
import type { LeaseGrant, LeaseRequest } from '../../../policy/lease.js'
import { shouldLeave } from '../../../policy/planned.js'
import {
  decide,
  newDesk,
  probeEnded,
  probeStarted,
  release,
  request,
  takeLogin,
  takeReadings,
  takeWall,
  type PoolDesk,
} from '../../../policy/poolDesk.js'
import { leaveAt } from '../../../policy/windows.js'
import { Oracle } from './oracle.js'
import { Random } from './random.js'
import { iso, World, type ToldWindow } from './world.js'

const minute = 60_000
const moveAt = 0.95

export interface Outcome {
  violations: string[]
  events: number
  grants: number
  probes: number
  refusals: number
  longestNeglect: number
  /** As it stood at the end: what to look at when a seed fails. */
  desk: PoolDesk
}

type Driven = {
  name: string
  model: string
  requests: number
  fence: number
} & (
  | { at: 'nowhere' }
  | { at: 'starting'; account: string; upAt: number }
  | { at: 'running'; account: string; turnEndsAt: number; stayUntil: string | null }
)

interface Timed {
  at: number
  run: (now: number) => void
}

export function simulate(seed: string, days = 14, timing: Timing = defaultTiming): Outcome {
  return new Simulation(seed, days, timing).run()
}

class Simulation {
  private readonly world: World
  private readonly oracle: Oracle
  private readonly random: Random
  private readonly sessions: Driven[]
  private desk: PoolDesk
  private timers: Timed[] = []
  private lookAgainAt = Infinity
  private readonly outcome: Omit<Outcome, 'desk'>

  private readonly timing: Timing

  constructor(seed: string, days: number, timing: Timing) {
    this.timing = timing
    this.world = new World({ seed, start: Date.UTC(2026, 0, 5), days, accounts: 4, sessions: 12 })
    this.oracle = new Oracle(this.world, timing)
    this.random = new Random(`${seed}/driver`)
    this.sessions = this.world.sessions.map(({ name, model }) => ({
      name,
      model,
      requests: 0,
      fence: 0,
      at: 'nowhere',
    }))
    this.desk = newDesk({
      name: 'main',
      moveAt,
      host: 'here',
      timing,
      accounts: this.world.accounts.map(({ name, ceiling, maxSessions }) => ({
        name,
        role: 'pool',
        ceiling,
        maxSessions,
      })),
    })
    this.outcome = { violations: [], events: 0, grants: 0, probes: 0, refusals: 0, longestNeglect: 0 }
  }

  run(): Outcome {
    const { world, oracle } = this
    let now = world.options.start
    for (const session of this.sessions) this.ask(session, 'start', null, now)
    this.settle(now)
    while (now < world.end && oracle.violations.length === 0) {
      now = Math.min(world.nextChange(now), this.lookAgainAt, this.nextTimer())
      if (now >= world.end) break
      this.outcome.events += 1
      this.runTimers(now)
      this.meetTroubles(now)
      this.settle(now)
    }
    return {
      ...this.outcome,
      violations: oracle.violations,
      longestNeglect: oracle.longestNeglect,
      desk: this.desk,
    }
  }

  /** Decides until nothing follows any more, and has what was decided done. */
  private settle(now: number): void {
    if (this.dirty || now >= this.lookAgainAt) {
      this.dirty = false
      const decision = decide(this.desk, iso(now))
      this.desk = decision.desk
      this.lookAgainAt = decision.lookAgainAt === null ? Infinity : Date.parse(decision.lookAgainAt)
      for (const account of decision.probes) this.probe(account, now)
      for (const { session, grant } of decision.grants) this.granted(session, grant, now)
      for (const { session, refusal } of decision.refusals) {
        this.outcome.refusals += 1
        if (Date.parse(refusal.retryAt) <= now)
          this.oracle.violations.push(
            `${iso(now)} ${session} is told to wait for the past: ${refusal.retryAt}`,
          )
        const refused = this.sessions.find(({ name }) => name === session)!
        if (refused.at === 'running') refused.stayUntil = refusal.retryAt
      }
    }
    this.oracle.tick(now)
  }
  private dirty = true

  private change(desk: PoolDesk): void {
    this.desk = desk
    this.dirty = true
  }

  private ask(
    session: Driven,
    cause: LeaseRequest['cause'],
    from: string | null,
    now: number,
    failed: string[] = [],
  ): void {
    session.requests += 1
    if (cause !== 'near-limit') {
      this.world.remove(session.name, now)
      this.oracle.wants(session.name, session.model, now)
      this.replace(session, { at: 'nowhere' })
    }
    const asked: LeaseRequest = {
      requestId: `${session.name}/${session.requests}`,
      session: session.name,
      host: 'here',
      agent: 'claude-code',
      models: [session.model],
      fallback: null,
      unfit: [],
      prefer: null,
      pinned: false,
      exclude: failed,
      cause,
      from,
      priority: 5,
      readings: [],
      at: iso(now),
    }
    this.change(request(this.desk, asked, iso(now)))
  }

  private replace(session: Driven, state: Partial<Driven>): void {
    Object.assign(session, state)
  }

  private granted(name: string, grant: LeaseGrant, now: number): void {
    const session = this.sessions.find((one) => one.name === name)!
    this.outcome.grants += 1
    if (grant.fence <= session.fence)
      this.oracle.violations.push(`${iso(now)} fence ${grant.fence} does not grow`)
    this.world.remove(name, now)
    this.oracle.granted(name, session.model, grant.place.name, now)
    const upAt = now + Math.round(this.random.between(2_000, 20_000))
    this.replace(session, { fence: grant.fence, at: 'starting', account: grant.place.name, upAt })
    this.at(upAt, (then) => {
      if (session.fence === grant.fence && session.at === 'starting') this.launched(session, grant, then)
    })
  }

  private launched(session: Driven, { place: { name: account }, fence }: LeaseGrant, now: number): void {
    const loggedIn = this.world.isLoggedIn(account, now)
    if (!loggedIn || this.random.chance(0.005)) {
      this.change(release(this.desk, { session: session.name, fence, fault: 'did not start' }, iso(now)))
      this.oracle.faulted(account, now)
      if (!loggedIn) this.loginLost(account, now)
      this.ask(session, 'wall', account, now, [account])
      return
    }
    this.world.place(session.name, account, now)
    this.replace(session, { at: 'running', account, turnEndsAt: now + this.turn(), stayUntil: null })
    // The first answer shows the account's budgets, if there is one.
    this.at(now + minute, (then) => this.answered(session, fence, then))
    this.at(now + this.turn(), (then) => this.turnEnded(session, fence, then))
  }

  private turn(): number {
    return Math.round(this.random.between(10, 150) * minute)
  }

  private isHere(session: Driven, fence: number): session is Driven & { at: 'running' } {
    return session.at === 'running' && session.fence === fence
  }

  private answered(session: Driven, fence: number, now: number): void {
    if (!this.isHere(session, fence)) return
    if (!this.world.isActive(session.name, now)) return
    if (this.world.troubleOf(session.name, session.account, now) !== null) return
    this.tell(session.account, this.world.statusLine(session.account, now), now)
  }

  private turnEnded(session: Driven, fence: number, now: number): void {
    if (!this.isHere(session, fence)) return
    this.at(now + this.turn(), (then) => this.turnEnded(session, fence, then))
    if (
      !this.world.isActive(session.name, now) ||
      !this.world.isLoggedIn(session.account, now) ||
      this.world.troubleOf(session.name, session.account, now) !== null
    )
      return
    const windows = this.world.statusLine(session.account, now)
    const { ceiling } = this.world.account(session.account)
    const leave = shouldLeave(
      { account: session.account, windows, walls: [], login: 'in' },
      {
        model: session.model,
        leaveAt: leaveAt(moveAt, ceiling),
        stayUntil: session.stayUntil,
        wakeMargin: this.timing.wakeMargin,
      },
      iso(now),
    )
    if (leave === null) return
    this.tell(session.account, windows, now)
    this.ask(session, 'near-limit', session.account, now)
  }

  private tell(account: string, windows: ToldWindow[], now: number): void {
    this.change(takeReadings(this.desk, [reading(account, windows)], iso(now)))
    this.oracle.told(account, windows)
  }

  private meetTroubles(now: number): void {
    for (const session of this.sessions) {
      if (session.at !== 'running') continue
      const { account } = session
      const trouble = this.world.troubleOf(session.name, account, now)
      if (trouble === null) continue
      if (trouble.kind === 'login') {
        this.loginLost(account, now)
        this.ask(session, 'login', account, now)
        continue
      }
      const report = trouble.wall
      this.change(takeWall(this.desk, account, report, iso(now)))
      this.oracle.walled(account, report)
      // The same wall told once more, late: it must not count for a new one.
      if (this.random.chance(0.2))
        this.at(now + Math.round(this.random.between(1, 400) * minute), (then) => {
          this.change(takeWall(this.desk, account, report, iso(then)))
        })
      this.ask(session, 'wall', account, now)
    }
  }

  private loginLost(account: string, now: number): void {
    const known = this.desk.accounts.find(({ name }) => name === account)!.login
    this.change(takeLogin(this.desk, account, 'out', iso(now), iso(now)))
    this.oracle.login(account, 'out')
    if (known !== 'out') this.oracle.faulted(account, now)
  }

  private probe(account: string, now: number): void {
    this.outcome.probes += 1
    this.change(probeStarted(this.desk, account, iso(now)))
    this.at(now + Math.round(this.random.between(500, 8_000)), (then) => {
      const answer = this.world.probe(account, then)
      this.oracle.probed(
        account,
        now,
        answer.windows.some(({ readAt }) => Date.parse(readAt) >= now),
      )
      this.oracle.told(account, answer.windows)
      this.oracle.login(account, answer.login)
      const told: AccountReading = {
        ...reading(account, answer.windows),
        login: answer.login,
        loginAt: iso(then),
        identity: this.world.account(account).identity,
        probedAt: iso(now),
      }
      // Some probes fail without a word.
      this.change(probeEnded(this.desk, account, told, iso(then)))
    })
  }

  private at(at: number, run: (now: number) => void): void {
    let index = this.timers.length
    while (index > 0 && this.timers[index - 1]!.at < at) index--
    this.timers.splice(index, 0, { at, run })
  }

  /** Timers are kept latest first, so that the next one is the last. */
  private nextTimer(): number {
    return this.timers.at(-1)?.at ?? Infinity
  }

  private runTimers(now: number): void {
    for (let timer = this.timers.at(-1); timer !== undefined && timer.at <= now; timer = this.timers.at(-1)) {
      this.timers.pop()
      timer.run(now)
    }
  }
}

const reading = (account: string, windows: ToldWindow[]): AccountReading => ({
  account,
  windows,
  walls: [],
  login: 'unknown',
  loginAt: null,
  identity: null,
  probedAt: null,
})
