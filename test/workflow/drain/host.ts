/** The host of one drain: what the simulated world does to its sessions, told as a real host would tell it. */
import { Context } from '@temporalio/activity'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import type {
  DeliverRequest,
  HostActivities,
  Launched,
  LaunchRequest,
  Observation,
  SessionRef,
  Stopped,
  StopRequest,
  WatchRequest,
} from '../../../activities/contracts.js'
import * as faults from '../../../activities/errors.js'
import type { AccountReading, Timing } from '../../../policy/account.js'
import { shouldLeave } from '../../../policy/planned.js'
import { leaveAt } from '../../../policy/windows.js'
import { Oracle } from '../../policy/drain/oracle.js'
import { Random } from '../../policy/drain/random.js'
import type { ToldWindow } from '../../policy/drain/cast.js'
import { iso } from '../../policy/drain/spans.js'
import { World } from '../../policy/drain/world.js'
import type { HostSide } from '../harness/theatre.js'
import { Ledger } from './ledger.js'

const minute = 60_000
const hour = 60 * minute

export const moveAt = 0.95
/**
 * Less than in the simulator, where an event costs microseconds: accounts run dry every other day, not every other hour.
 */
const load = 0.6

interface Process {
  account: string
  fence: number
  upAt: number
  turnEndsAt: number
}

export class DrainHost implements HostSide {
  readonly hostId: string
  readonly pool: string
  readonly world: World
  readonly oracle: Oracle
  readonly counts = { launches: 0, walls: 0, planned: 0, logins: 0, probes: 0, failed: 0, texts: 0, looks: 0 }
  /** Texts that arrived, by session. */
  readonly delivered = new Map<string, string[]>()
  readonly #ledger: Ledger
  readonly #timing: Timing
  readonly #random: Random
  readonly #processes = new Map<string, Process>()
  readonly #newest = new Map<string, number>()
  readonly #stopped = new Map<string, number>()
  readonly #readings = new Map<string, AccountReading>()
  readonly #startsAt = new Map<string, number>()
  readonly #inStep = new Set<string>()
  /** Accounts that the pool was last told to be logged out. */
  readonly #saidOut = new Set<string>()
  /** The account that refused a session last, and when it said so. */
  readonly #refused = new Map<string, { account: string; at: number }>()
  /** When activities that were put off come again. */
  readonly #dueAt = new Map<string, number>()
  #now: number

  constructor(seed: string, pool: string, start: number, days: number, timing: Timing) {
    this.hostId = `host-of-${pool}`
    this.pool = pool
    this.world = new World({ seed, start, days, accounts: 4, sessions: 12, load })
    this.oracle = new Oracle(this.world, timing)
    this.#ledger = new Ledger(this.world, this.oracle, start)
    this.#timing = timing
    this.#random = new Random(`${seed}/host`)
    this.#now = start
  }

  get violations(): string[] {
    return this.oracle.violations
  }

  liveSessions = (): Promise<string[]> =>
    Promise.resolve(this.world.sessions.map(({ name }) => this.nameOf(name)))

  /** Session names are unique on the server, those of the world within it. */
  nameOf(session: string): string {
    return `${this.pool}-${session}`
  }

  /** The session begins, and wants an account. */
  begins(session: string): void {
    this.#wants(session, this.#now)
  }

  isRunning(session: string): boolean {
    return this.#processes.has(session)
  }

  passTo(now: number): void {
    this.#now = Math.max(this.#now, now)
    this.#ledger.passTo(this.#now)
  }

  activities(): HostActivities {
    return {
      launchAgent: (request) => this.#alone(request, (session, now) => this.#launch(session, request, now)),
      interruptAgent: () => Promise.resolve(),
      stopAgent: (request) => this.#alone(request, (session, now) => this.#stop(session, request, now)),
      carryConversation: () => Promise.resolve({ transcript: null, bytes: 0 }),
      callHome: () => Promise.resolve(),
      watchAgent: (request) => Promise.resolve().then(() => this.#watch(request)),
      deliverText: (request) => Promise.resolve().then(() => this.#deliver(request)),
      readAccounts: () => Promise.resolve().then(() => this.#tellAll(this.#enter())),
      sendNotice: () => Promise.resolve({ failed: [] }),
      probeAccount: ({ account }) => Promise.resolve().then(() => this.#probe(account)),
    }
  }

  /**
   * The virtual now of this attempt: the server tells when it was put off, not until when. Attempts of one instant come in any
   * order, and the world can't go back.
   */
  #enter(): number {
    const { currentAttemptScheduledTimestampMs } = Context.current().info
    this.passTo(Math.max(currentAttemptScheduledTimestampMs, this.#dueAt.get(thisActivity()) ?? 0))
    this.#dueAt.delete(thisActivity())
    return this.#now
  }

  /** "Not yet": asked again after this long, in virtual time, which a running activity would stop. */
  #notYet(ms: number): ApplicationFailure {
    this.#dueAt.set(thisActivity(), this.#now + ms)
    return ApplicationFailure.create({
      type: 'NotYet',
      message: 'nothing has happened',
      nextRetryDelay: Math.max(ms, 1),
      category: ApplicationFailureCategory.BENIGN,
    })
  }

  async #alone<T>(ref: SessionRef, work: (session: string, now: number) => T): Promise<T> {
    await Promise.resolve()
    const session = this.#short(ref.session)
    const now = this.#enter()
    if (this.#inStep.has(session)) this.#violated(now, `${session} was launched and stopped at once`)
    this.#inStep.add(session)
    try {
      return work(session, now)
    } finally {
      this.#inStep.delete(session)
    }
  }

  #launch(session: string, request: LaunchRequest, now: number): Launched {
    const { fence, place } = request
    const newest = this.#newest.get(session) ?? 0
    if (fence < newest || fence <= (this.#stopped.get(session) ?? -1))
      throw faults.staleFence(session, fence, newest)
    const account = place.name
    const key = `${session}#${fence}`
    const upAt = this.#startsAt.get(key)
    if (upAt === undefined) {
      const held = this.#processes.get(session)
      if (held && held.fence !== fence) this.#violated(now, `${session} was launched while it ran (law 3)`)
      const refused = this.#refused.get(session)
      if (refused?.account === account && now - refused.at < 1_000)
        this.#violated(now, `${session} was sent back to ${account}, which had just refused it`)
      this.#newest.set(session, fence)
      this.#ledger.note('granted', now, (at) => this.oracle.granted(session, account, at), account, fence)
      const takes = Math.round(this.#random.between(2_000, 20_000))
      this.#startsAt.set(key, now + takes)
      throw this.#notYet(takes)
    }
    const loggedIn = this.world.isLoggedIn(account, now)
    if (!loggedIn || this.#random.chance(0.005)) {
      this.counts.failed += 1
      // Why an agent does not start is seen by none; a probe or a turn says that the login was lost.
      this.#ledger.note('barred', now, (at) => this.oracle.faulted(account, at))
      this.#wants(session, now)
      throw faults.launchFailed('it did not start')
    }
    this.counts.launches += 1
    this.world.place(session, account, now)
    this.#processes.set(session, { account, fence, upAt: now, turnEndsAt: now + this.#turn() })
    return {
      pane: '%1',
      pid: fence,
      tmuxSocket: '/tmux',
      transcript: null,
      transcriptFrom: 0,
      promptTaken: true,
      steps: [],
    }
  }

  #stop(session: string, { fence }: StopRequest, now: number): Stopped {
    if ((this.#newest.get(session) ?? 0) > fence) return { steps: [], wasWorking: false }
    this.#stopped.set(session, fence)
    this.#processes.delete(session)
    this.world.remove(session, now)
    return { steps: [], wasWorking: false }
  }

  #watch(request: WatchRequest): Observation {
    const now = this.#enter()
    const session = this.#short(request.session)
    const process = this.#processes.get(session)
    const seen = (what: Sight): Observation => ({
      ...what,
      readings: this.#tellAll(now),
      at: iso(now),
      transcriptTo: 0,
      wasWorking: true,
    })
    if (process?.fence !== request.fence) return seen({ kind: 'released' })
    const { account } = process
    const trouble = this.world.troubleOf(session, account, now)
    if (trouble?.kind === 'login') {
      this.counts.logins += 1
      this.#loggedOut(account, now)
      this.#wants(session, now)
      return seen({ kind: 'login', text: 'logged out' })
    }
    if (trouble !== null) {
      this.counts.walls += 1
      const { wall } = trouble
      this.#refused.set(session, { account, at: now })
      this.#ledger.note('barred', now, () => this.oracle.walled(account, wall))
      const known = this.#reading(account)
      const others = known.walls.filter(({ kind }) => kind !== wall.kind)
      this.#readings.set(account, { ...known, walls: [...others, wall] })
      this.#wants(session, now)
      return seen({ kind: 'walled', wall })
    }
    if (process.turnEndsAt <= now) {
      process.turnEndsAt = now + this.#turn()
      const leave = this.#turnEnded(request, session, account, now)
      if (leave !== null) return seen(leave)
    }
    this.counts.looks += 1
    throw this.#notYet(this.#nextLook(process, session, now) - now)
  }

  #turnEnded(request: WatchRequest, session: string, account: string, now: number): Sight | null {
    if (!this.world.isLoggedIn(account, now)) return null
    this.#read(account, this.world.statusLine(account, now), now)
    const { ceiling } = this.world.account(account)
    const { model } = this.world.session(session)
    const { stayUntil } = request
    const { wakeMargin } = this.#timing
    const stay = { model, leaveAt: leaveAt(moveAt, ceiling), stayUntil, wakeMargin }
    const leave = shouldLeave(this.#reading(account), stay, iso(now))
    if (leave?.cause !== 'near-limit') return null
    this.counts.planned += 1
    return { kind: 'near-limit', why: leave.why, wall: leave.wall }
  }

  /**
   * A session meets a wall at a request, and at full load none fills half an account within an hour: far from the wall few
   * looks are enough, and each costs the server as much as a step of a rescue.
   */
  #nextLook({ account, turnEndsAt }: Process, session: string, now: number): number {
    const left = 1 - this.world.usedBy(account, this.world.session(session).model, now)
    const atLeast = Math.min(Math.max((left * 2 * hour) / load, 10 * minute), (2 * hour) / load)
    return Math.max(Math.min(turnEndsAt, now + 10 * minute), now + atLeast)
  }

  #deliver({ session: name, fence, messageId }: DeliverRequest): void {
    this.#enter()
    const session = this.#short(name)
    if (this.#processes.get(session)?.fence !== fence) throw faults.staleFence(session, fence, 0)
    this.counts.texts += 1
    this.delivered.set(session, [...(this.delivered.get(session) ?? []), messageId])
  }

  #probe(account: string): AccountReading {
    const now = this.#enter()
    this.counts.probes += 1
    const { windows, login } = this.world.probe(account, now)
    this.#lookAtStatusLines(account, now)
    this.#tell(account, this.#reading(account).windows.filter(isToldByAgents), now)
    const answered = windows.some(({ readAt }) => Date.parse(readAt) >= now)
    this.#ledger.note('able', now, (at) => this.oracle.probed(account, at, answered))
    this.#tell(account, windows, now)
    this.#ledger.note(login === 'in' ? 'able' : 'barred', now, () => this.oracle.login(account, login))
    if (login === 'out') this.#saidOut.add(account)
    else this.#saidOut.delete(account)
    if (login === 'in') this.#read(account, windows, now)
    const { identity } = this.world.account(account)
    const reading = { ...this.#reading(account), windows, login, loginAt: iso(now), identity }
    this.#readings.set(account, { ...reading, windows: this.#reading(account).windows })
    return { ...reading, probedAt: iso(now) }
  }

  #loggedOut(account: string, now: number): void {
    this.#readings.set(account, { ...this.#reading(account), login: 'out', loginAt: iso(now) })
    this.#ledger.note('barred', now, () => this.oracle.login(account, 'out'))
    this.#saidOut.add(account)
  }

  #wants(session: string, now: number): void {
    this.world.remove(session, now)
    this.#ledger.note('wants', now, () => this.oracle.wants(session))
  }

  /** What this host knows of its accounts goes along with each observation. */
  #tellAll(now: number): AccountReading[] {
    for (const { name } of this.world.accounts) this.#lookAtStatusLines(name, now)
    const known = [...this.#readings.values()]
    for (const { account, windows, login } of known) {
      // Whoever gets an answer is logged in.
      if (login === 'in' && this.#saidOut.delete(account))
        this.#ledger.note('able', now, () => this.oracle.login(account, 'in'))
      this.#tell(account, windows.filter(isToldByAgents), now)
    }
    return known
  }

  /** Every session that works shows its account's budgets with each answer. */
  #lookAtStatusLines(account: string, now: number): void {
    const isAnswered = [...this.#processes].some(
      ([session, process]) =>
        process.account === account &&
        now - process.upAt >= minute &&
        this.world.session(session).active.some(({ from, to }) => from <= now && now < to) &&
        this.world.troubleOf(session, account, now) === null,
    )
    if (isAnswered) this.#read(account, this.world.statusLine(account, now), now)
  }

  #tell(account: string, windows: ToldWindow[], now: number): void {
    const { ceiling } = this.world.account(account)
    const told = (kind: 'barred' | 'read', part: ToldWindow[]): void => {
      if (part.length > 0) this.#ledger.note(kind, now, () => this.oracle.told(account, part), account)
    }
    // Apart, since what bars one model bars no session of another.
    told(
      'read',
      windows.filter(({ used }) => used < ceiling),
    )
    told(
      'barred',
      windows.filter(({ used }) => used >= ceiling),
    )
  }

  #read(account: string, windows: ToldWindow[], now: number): void {
    const known = this.#reading(account)
    const others = known.windows.filter(({ name }) => !windows.some((window) => window.name === name))
    const login = { login: 'in', loginAt: iso(now) } as const
    this.#readings.set(account, { ...known, windows: [...others, ...windows], ...login })
  }

  #reading(account: string): AccountReading {
    const none = { walls: [], login: 'unknown', loginAt: null, identity: null, probedAt: null } as const
    return this.#readings.get(account) ?? { account, windows: [], ...none, walls: [] }
  }

  #turn(): number {
    return Math.round(this.#random.between(5, 60) * minute)
  }

  #short(session: string): string {
    return session.slice(this.pool.length + 1)
  }

  #violated(now: number, what: string): void {
    this.oracle.violations.push(`${iso(now)} ${what}`)
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
type Sight = DistributiveOmit<Observation, 'readings' | 'at' | 'transcriptTo' | 'wasWorking'>

const isToldByAgents = <W extends { source: string }>(
  window: W,
): window is W & { source: 'status-line' | 'usage-probe' } =>
  window.source === 'status-line' || window.source === 'usage-probe'

function thisActivity(): string {
  const { activityId, workflowExecution } = Context.current().info
  return `${activityId} ${workflowExecution?.runId ?? ''}`
}
