/**
 * Drives sessions and the pool's state through a world in virtual time, without an engine: only the pool's
 * decisions run.
 */
import { defaultTiming, type AccountReading, type Timing } from '../../../policy/account/account.js'
import type { LeaseGrant, LeaseRequest } from '../../../policy/pool/lease.js'
import { shouldMove } from '../../../policy/session/plannedMove.js'
import {
  decide,
  newPoolState,
  probeEnded,
  probeStarted,
  releaseLease,
  requestLease,
  recordReadings,
  type PoolState,
} from '../../../policy/pool/transitions.js'
import { recordLogin, recordWall } from '../builders.js'
import { moveThreshold } from '../../../policy/account/windows.js'
import type { ReportedWindow } from './population.js'
import {
  reading,
  SubstrateRefusals,
  type SimulationCase,
  type SimulatedSession,
  type Outcome,
} from './simulationCase.js'
import { Oracle } from './oracle.js'
import { Random } from './random.js'
import { moveAt, poolSettings, reserved } from './settings.js'
import { day, iso, minute } from './spans.js'
import { Timers } from './timers.js'
import { World } from './world.js'

export const startOfWorld = Date.UTC(2026, 0, 5)

export function simulate(simulationCase: SimulationCase, timing: Timing = defaultTiming): Outcome {
  return new Simulation(simulationCase, timing).run()
}

class Simulation {
  private readonly world: World
  private readonly oracle: Oracle
  private readonly random: Random
  private readonly sessions: SimulatedSession[]
  private state: PoolState
  private readonly timers = new Timers()
  private readonly refusals: SubstrateRefusals
  private readonly history: string[] = []
  private readonly startsAt: number
  private recheckAt = Infinity
  private readonly outcome = { events: 0, grants: 0, probes: 0, refusals: 0 }
  private readonly timing: Timing

  constructor({ after = 0, ...options }: SimulationCase, timing: Timing) {
    this.timing = timing
    this.world = new World({ ...options, start: startOfWorld })
    this.startsAt = this.world.options.start + after
    this.oracle = new Oracle(this.world, timing)
    this.refusals = new SubstrateRefusals(this.world)
    this.random = new Random(`${options.seed}/driver`)
    this.sessions = this.world.sessions.map(({ name, model, fallback }) => ({
      name,
      model,
      fallback,
      requests: 0,
      fence: 0,
      isCalled: false,
      at: 'nowhere',
    }))
    this.state = newPoolState(poolSettings('main', 'here', this.world, timing))
  }

  run(): Outcome {
    const { world, oracle } = this
    let now = this.startsAt
    world.settle(now)
    this.temptWithReserve(now)
    for (const session of this.sessions) this.ask(session, 'start', null, now)
    this.settle(now)
    while (now < world.end && oracle.violations.length === 0) {
      now = Math.min(world.nextChange(now), this.recheckAt, this.timers.next)
      if (now >= world.end) break
      this.outcome.events += 1
      this.timers.run(now)
      this.meetTroubles(now)
      this.settle(now)
    }
    return {
      ...this.outcome,
      ...oracle.fallbackLaws.counts,
      violations: oracle.violations,
      history: this.history,
      longestNeglect: oracle.longestNeglect,
      pool: this.state,
    }
  }

  /** The healer's account has more room than any other, until its weekly window is spent too. */
  private temptWithReserve(now: number): void {
    const window = {
      name: 'five_hour',
      used: 0,
      resetsAt: null,
      readAt: iso(now),
      source: 'usage-probe',
    } as const
    this.change(recordReadings(this.state, [reading(reserved, [window])], iso(now)))
    this.timers.at(now + 2 * day, (then) => {
      const wall = { kind: 'seven_day', scope: 'account', evidence: 'the drain', at: iso(then) } as const
      this.change(recordWall(this.state, reserved, { ...wall, resetsAt: iso(then + 3 * day) }, iso(then)))
    })
  }

  private record(now: number, what: string): void {
    this.history.push(`${iso(now)} ${what}`)
  }

  /** Decides until nothing follows any more, and carries the decisions out. */
  private settle(now: number): void {
    if (this.dirty || now >= this.recheckAt) {
      this.dirty = false
      const decision = decide(this.state, iso(now))
      this.state = decision.state
      this.recheckAt = decision.nextDecisionAt === null ? Infinity : Date.parse(decision.nextDecisionAt)
      for (const account of decision.probes) this.probe(account, now)
      for (const { session, grant } of decision.grants) this.granted(session, grant, now)
      for (const { session, denial } of decision.denials) {
        this.outcome.refusals += 1
        this.record(now, `${session} has to wait: ${denial.why}; next chance ${denial.retryAt}`)
        if (Date.parse(denial.retryAt) <= now)
          this.oracle.violations.push(
            `${iso(now)} ${session} has to wait for a time in the past: ${denial.retryAt}`,
          )
        const refused = this.sessions.find(({ name }) => name === session)!
        if (refused.at !== 'running') continue
        refused.stayUntil = denial.retryAt
        this.oracle.fallbackLaws.stays(session, Date.parse(denial.retryAt))
      }
      for (const { session, why } of decision.failbacks) this.called(session, why, now)
    }
    this.oracle.tick(now)
  }
  private dirty = true

  private change(state: PoolState): void {
    this.state = state
    this.dirty = true
  }

  private ask(
    session: SimulatedSession,
    cause: LeaseRequest['cause'],
    from: string | null,
    now: number,
    failed: string[] = [],
  ): void {
    session.requests += 1
    this.record(now, `${session.name} (${session.model}) wants a place: ${cause}, from ${from ?? 'nowhere'}`)
    if (cause !== 'near-limit' && cause !== 'home') {
      this.world.remove(session.name, now)
      this.oracle.requestsPlace(session.name)
      this.replace(session, { at: 'nowhere' })
    }
    const request: LeaseRequest = {
      requestId: `${session.name}/${session.requests}`,
      session: session.name,
      host: 'here',
      agent: 'claude-code',
      models: [session.model],
      fallback: session.fallback,
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
    this.change(requestLease(this.state, request, iso(now)))
  }

  private replace(session: SimulatedSession, state: Partial<SimulatedSession>): void {
    Object.assign(session, state)
  }

  private granted(name: string, grant: LeaseGrant, now: number): void {
    const session = this.sessions.find((one) => one.name === name)!
    this.outcome.grants += 1
    if (grant.fence <= session.fence)
      this.oracle.violations.push(`${iso(now)} fence ${grant.fence} does not grow`)
    this.record(now, `${name} gets ${grant.place.name}: ${grant.why}`)
    this.world.remove(name, now)
    this.oracle.granted(name, grant.place.name, now)
    const upAt = now + Math.round(this.random.between(2_000, 20_000))
    const account = grant.place.name
    this.replace(session, { fence: grant.fence, at: 'starting', account, upAt, isCalled: false })
    this.timers.at(upAt, (then) => {
      if (session.fence === grant.fence && session.at === 'starting') this.launched(session, grant, then)
    })
  }

  private launched(
    session: SimulatedSession,
    { place: { name: account }, fence }: LeaseGrant,
    now: number,
  ): void {
    const isAway = this.world.substrate(account) !== undefined
    const loggedIn = isAway || this.world.isLoggedIn(account, now)
    if (!loggedIn || this.random.chance(0.005)) {
      this.record(now, `${session.name} does not start on ${account}`)
      this.change(
        releaseLease(this.state, { session: session.name, fence, failure: 'did not start' }, iso(now)),
      )
      this.oracle.faulted(account, now)
      if (!loggedIn) this.loginLost(account, now)
      this.ask(session, 'wall', account, now, [account])
      return
    }
    this.world.place(session.name, account, now)
    this.replace(session, { at: 'running', account, turnEndsAt: now + this.turn(), stayUntil: null })
    // The first answer shows the account's budgets, if there is one.
    if (!isAway) this.timers.at(now + minute, (then) => this.answered(session, fence, then))
    this.timers.at(now + this.turn(), (then) => this.turnEnded(session, fence, then))
  }

  private turn(): number {
    return Math.round(this.random.between(10, 150) * minute)
  }

  private isHere(session: SimulatedSession, fence: number): session is SimulatedSession & { at: 'running' } {
    return session.at === 'running' && session.fence === fence
  }

  private answered(session: SimulatedSession, fence: number, now: number): void {
    if (!this.isHere(session, fence)) return
    if (!this.world.isActive(session.name, now)) return
    if (this.world.troubleOf(session.name, session.account, now) !== null) return
    this.reportWindows(session.account, this.world.readStatusLine(session.account, now), now)
  }

  private turnEnded(session: SimulatedSession, fence: number, now: number): void {
    if (!this.isHere(session, fence)) return
    this.timers.at(now + this.turn(), (then) => this.turnEnded(session, fence, then))
    if (this.world.substrate(session.account) !== undefined) {
      this.failBack(session, now)
      return
    }
    if (
      !this.world.isActive(session.name, now) ||
      !this.world.isLoggedIn(session.account, now) ||
      this.world.troubleOf(session.name, session.account, now) !== null
    )
      return
    const windows = this.world.readStatusLine(session.account, now)
    const { ceiling } = this.world.account(session.account)
    const moveReason = shouldMove(
      { account: session.account, windows, walls: [], login: 'in' },
      {
        model: session.model,
        moveThreshold: moveThreshold(moveAt, ceiling),
        stayUntil: session.stayUntil,
        wakeMargin: this.timing.wakeMargin,
      },
      iso(now),
    )
    if (moveReason === null) return
    this.reportWindows(session.account, windows, now)
    this.ask(session, 'near-limit', session.account, now)
  }

  private called(name: string, why: string, now: number): void {
    const session = this.sessions.find((one) => one.name === name)!
    this.record(now, `${name} is ordered back: ${why}`)
    this.oracle.fallbackLaws.called(name)
    session.isCalled = true
  }

  /** It was ordered back, and is at rest. */
  private failBack(session: SimulatedSession & { at: 'running' }, now: number): void {
    if (!session.isCalled) return
    session.isCalled = false
    this.ask(session, 'home', session.account, now)
  }

  private reportWindows(account: string, windows: ReportedWindow[], now: number): void {
    this.change(recordReadings(this.state, [reading(account, windows)], iso(now)))
    this.oracle.windowsReported(account, windows)
  }

  private meetTroubles(now: number): void {
    for (const session of this.sessions) {
      if (session.at !== 'running') continue
      const { account } = session
      const failure = this.world.troubleOf(session.name, account, now)
      if (failure === null) continue
      if (failure.kind === 'login') {
        this.loginLost(account, now)
        this.ask(session, 'login', account, now)
        continue
      }
      const report = this.refusals.observed(account, failure.wall)
      this.record(now, `${account} refuses ${session.name}: ${report.kind} until ${report.resetsAt}`)
      this.change(recordWall(this.state, account, report, iso(now)))
      this.oracle.walled(account, failure.wall)
      // The same wall reported once more, late: it must not count as a new one.
      if (this.random.chance(0.2))
        this.timers.at(now + Math.round(this.random.between(1, 400) * minute), (then) => {
          this.change(recordWall(this.state, account, report, iso(then)))
        })
      this.ask(session, 'wall', account, now)
    }
  }

  private loginLost(account: string, now: number): void {
    this.record(now, `${account} is logged out`)
    const login = this.state.accounts.find(({ name }) => name === account)!.login
    this.change(recordLogin(this.state, account, 'out', iso(now), iso(now)))
    this.oracle.login(account, 'out')
    if (login !== 'out') this.oracle.faulted(account, now)
  }

  private probe(account: string, now: number): void {
    this.outcome.probes += 1
    this.change(probeStarted(this.state, account, iso(now)))
    this.timers.at(now + Math.round(this.random.between(500, 8_000)), (then) => {
      const answer = this.world.probe(account, then)
      const said = answer.windows.map(({ name, used, resetsAt }) => `${name} ${used} until ${resetsAt}`)
      this.record(then, `${account} is asked: ${said.join(', ') || 'no answer'}, logged ${answer.login}`)
      this.oracle.probed(
        account,
        now,
        answer.windows.some(({ readAt }) => Date.parse(readAt) >= now),
      )
      this.oracle.windowsReported(account, answer.windows)
      this.oracle.login(account, answer.login)
      const probed: AccountReading = {
        ...reading(account, answer.windows),
        login: answer.login,
        loginAt: iso(then),
        identity: this.world.account(account).identity,
        probedAt: iso(now),
      }
      // Some probes fail without a result.
      this.change(probeEnded(this.state, account, probed, iso(then)))
    })
  }
}
