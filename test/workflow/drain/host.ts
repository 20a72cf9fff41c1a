/** The host of one drain: it reports what the simulated world does to its sessions as a real host would. */
import { Context } from '@temporalio/activity'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import type {
  DeliverRequest,
  HostActivities,
  LaunchResult,
  LaunchRequest,
  SessionObservation,
  SessionRef,
  StopResult,
  StopRequest,
  WatchRequest,
} from '../../../activities/contracts.js'
import type { AccountReading, Timing } from '../../../policy/account/account.js'
import { shouldMove } from '../../../policy/session/plannedMove.js'
import { moveThreshold } from '../../../policy/account/windows.js'
import { Oracle } from '../../policy/drain/oracle.js'
import { Random } from '../../policy/drain/random.js'
import type { WorldOptions } from '../../policy/drain/population.js'
import { moveAt } from '../../policy/drain/settings.js'
import { hour, iso, minute } from '../../policy/drain/spans.js'
import { World } from '../../policy/drain/world.js'
import type { SimulatedHost } from '../harness/testServer.js'
import { ReportedReadings } from './reportedReadings.js'
import { EventLedger } from './eventLedger.js'
import { LaunchFailedError } from '../../../activities/errors.js'
import { failureFrom } from '../../../activities/failures.js'
import { StaleFenceError } from '../../../host/errors.js'

interface Process {
  account: string
  fence: number
  upAt: number
  turnEndsAt: number
}

export class DrainHost implements SimulatedHost {
  readonly hostId: string
  readonly pool: string
  readonly world: World
  readonly oracle: Oracle
  readonly counts = {
    launches: 0,
    walls: 0,
    planned: 0,
    logins: 0,
    probes: 0,
    failed: 0,
    texts: 0,
    looks: 0,
    home: 0,
  }
  /** Texts that arrived, by session. */
  readonly delivered = new Map<string, string[]>()
  readonly #ledger: EventLedger
  readonly #timing: Timing
  readonly #random: Random
  readonly #processes = new Map<string, Process>()
  readonly #newest = new Map<string, number>()
  readonly #stopped = new Map<string, number>()
  readonly #knowledge: ReportedReadings
  readonly #startsAt = new Map<string, number>()
  readonly #inStep = new Set<string>()
  /** The account that refused a session last, and when. */
  readonly #refused = new Map<string, { account: string; at: number }>()
  /**
   * The process of each session that was ordered back, and the sessions that came back and are being
   * answered.
   */
  readonly #failingBack = new Map<string, number>()
  /** Sessions to which something has happened since they were last told to go on. */
  readonly #hasCause = new Set<string>()
  readonly #awaitingTurn = new Set<string>()
  /** When postponed activities run again. */
  readonly #dueAt = new Map<string, number>()
  #now: number

  constructor(pool: string, world: WorldOptions, timing: Timing) {
    const { seed, start } = world
    this.hostId = `host-of-${pool}`
    this.pool = pool
    this.world = new World(world)
    this.oracle = new Oracle(this.world, timing)
    this.#ledger = new EventLedger(this.world, this.oracle, start)
    this.#knowledge = new ReportedReadings(this.world, this.oracle, this.#ledger, (account, now) =>
      this.#isAnswered(account, now),
    )
    this.#timing = timing
    this.#random = new Random(`${seed}/host`)
    this.#now = start
  }

  get violations(): string[] {
    return this.oracle.violations
  }

  liveSessions = (): Promise<string[]> =>
    Promise.resolve(this.world.sessions.map(({ name }) => this.nameOf(name)))

  /** Session names are unique on the server, and those of the world only within it. */
  nameOf(session: string): string {
    return `${this.pool}-${session}`
  }

  /** The session begins, and wants an account. */
  begins(session: string): void {
    this.#hasCause.add(session)
    this.#wants(session, this.#now)
  }

  isRunning(session: string): boolean {
    return this.#processes.has(session)
  }

  advanceTo(now: number): void {
    this.#now = Math.max(this.#now, now)
    this.#ledger.advanceTo(this.#now)
  }

  activities(): HostActivities {
    return {
      launchAgent: (request) => this.#alone(request, (session, now) => this.#launch(session, request, now)),
      interruptAgent: () => Promise.resolve(),
      stopAgent: (request) => this.#alone(request, (session, now) => this.#stop(session, request, now)),
      requestFailback: (ref) => Promise.resolve().then(() => this.#callHome(ref)),
      watchAgent: (request) =>
        Promise.resolve()
          .then(() => this.#watch(request))
          .catch((error: unknown) => this.#unexpected(error)),
      deliverText: (request) => Promise.resolve().then(() => this.#deliver(request)),
      queuePlannedWakeUp: () => Promise.resolve(null),
      answerQuestion: () => Promise.resolve({ kind: 'gone' }),
      recordEvents: () => Promise.resolve(),
      readAccounts: () => Promise.resolve().then(() => this.#knowledge.reportAll(this.#enter())),
      sendNotice: () => Promise.resolve({ failed: [] }),
      probeAccount: ({ account }) => Promise.resolve().then(() => this.#probe(account)),
    }
  }

  /**
   * The virtual now of this attempt: the server says when it was postponed, not until when. Attempts of one
   * instant come in any order, and the world can't go back in time.
   */
  #enter(): number {
    const { currentAttemptScheduledTimestampMs } = Context.current().info
    this.advanceTo(Math.max(currentAttemptScheduledTimestampMs, this.#dueAt.get(thisActivity()) ?? 0))
    this.#dueAt.delete(thisActivity())
    return this.#now
  }

  /** "Not yet": asked again after this delay, in virtual time, which a running activity would stop. */
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

  #launch(session: string, request: LaunchRequest, now: number): LaunchResult {
    const { fence, place } = request
    const newest = this.#newest.get(session) ?? 0
    if (fence < newest || fence <= (this.#stopped.get(session) ?? -1))
      throw failureFrom(new StaleFenceError(session, fence, newest))
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
      this.#awaitingTurn.delete(session)
      this.#ledger.add('granted', now, (at) => this.oracle.granted(session, account, at), {
        account,
        session,
        fence,
      })
      const takes = Math.round(this.#random.between(2_000, 20_000))
      this.#startsAt.set(key, now + takes)
      throw this.#notYet(takes)
    }
    const loggedIn = place.kind === 'substrate' || this.world.isLoggedIn(account, now)
    if (!loggedIn || this.#random.chance(0.005)) {
      this.counts.failed += 1
      // The host cannot see why an agent does not start; a probe or a turn shows that the login was lost.
      this.#ledger.add('barred', now, (at) => this.oracle.faulted(account, at), { session })
      this.#wants(session, now)
      throw failureFrom(new LaunchFailedError('it did not start'))
    }
    this.counts.launches += 1
    if (request.prompt !== null && !this.#hasCause.delete(session))
      this.#violated(now, `${session} was told to go on, and nothing had happened to it (law 13)`)
    this.world.place(session, account, now)
    this.#processes.set(session, { account, fence, upAt: now, turnEndsAt: now + this.#turn() })
    return {
      pane: '%1',
      pid: fence,
      tmuxSocket: '/tmux',
      transcript: null,
      transcriptFrom: 0,
      promptTaken: true,
      settledForks: [],
      pendingInput: [],
      plans: [],
      steps: [],
    }
  }

  #stop(session: string, { fence }: StopRequest, now: number): StopResult {
    if ((this.#newest.get(session) ?? 0) > fence) return { steps: [], wasWorking: false }
    this.#stopped.set(session, fence)
    this.#processes.delete(session)
    this.world.remove(session, now)
    return { steps: [], wasWorking: false }
  }

  #watch(request: WatchRequest): SessionObservation {
    const now = this.#enter()
    const session = this.#short(request.session)
    const process = this.#processes.get(session)
    const seen = (what: PartialObservation): SessionObservation => ({
      ...what,
      readings: this.#knowledge.reportAll(now),
      at: iso(now),
      transcriptTo: 0,
      wasWorking: true,
    })
    if (process?.fence !== request.fence) return seen({ kind: 'released' })
    const { account } = process
    if (this.#awaitingTurn.delete(session)) this.#staysAway(session, request.stayUntil, now)
    const failure = this.world.troubleOf(session, account, now)
    if (failure !== null) this.#hasCause.add(session)
    if (failure?.kind === 'login') {
      this.counts.logins += 1
      this.#knowledge.loggedOut(account, now)
      this.#wants(session, now)
      return seen({ kind: 'login', text: 'logged out' })
    }
    if (failure !== null) {
      this.counts.walls += 1
      this.#refused.set(session, { account, at: now })
      const wall = this.#knowledge.walled(session, account, failure.wall, now)
      this.#wants(session, now)
      return seen({ kind: 'walled', wall })
    }
    if (process.turnEndsAt <= now) {
      process.turnEndsAt = now + this.#turn()
      const moveReason = this.#turnEnded(request, session, account, now)
      if (moveReason !== null) {
        this.#hasCause.add(session)
        return seen(moveReason)
      }
    }
    this.counts.looks += 1
    throw this.#notYet(this.#nextLook(process, session, now) - now)
  }

  #turnEnded(
    request: WatchRequest,
    session: string,
    account: string,
    now: number,
  ): PartialObservation | null {
    if (request.place.kind === 'substrate') return this.#turnEndedOnSubstrate(request, session, now)
    if (!this.world.isLoggedIn(account, now)) return null
    this.#knowledge.read(account, this.world.readStatusLine(account, now), now)
    const { ceiling } = this.world.account(account)
    const { model } = this.world.session(session)
    const { stayUntil } = request
    const { wakeMargin } = this.#timing
    const stay = { model, moveThreshold: moveThreshold(moveAt, ceiling), stayUntil, wakeMargin }
    const moveReason = shouldMove(this.#knowledge.reading(account), stay, iso(now))
    if (moveReason?.cause !== 'near-limit') return null
    this.counts.planned += 1
    return { kind: 'near-limit', why: moveReason.why, wall: moveReason.wall }
  }

  #turnEndedOnSubstrate(
    { fence, stayUntil }: WatchRequest,
    session: string,
    now: number,
  ): PartialObservation | null {
    if (this.#failingBack.get(session) !== fence || now < Date.parse(stayUntil ?? iso(0))) return null
    this.counts.home += 1
    this.#awaitingTurn.add(session)
    return { kind: 'ready-for-failback' }
  }

  #callHome({ session: name, fence }: SessionRef): void {
    const session = this.#short(name)
    this.#failingBack.set(session, fence)
    this.#ledger.add('barred', this.#enter(), () => this.oracle.fallbackLaws.called(session))
  }

  /** It came back, and is watched on as before: there was no room. */
  #staysAway(session: string, stayUntil: string | null, now: number): void {
    const until = stayUntil === null ? now : Date.parse(stayUntil)
    this.#ledger.add('barred', now, () => this.oracle.fallbackLaws.stays(session, until))
  }

  /**
   * A session meets a wall at a request, and at full load none fills half an account within an hour: far from
   * the wall few checks are enough, and each costs the server as much as a step of a rescue.
   */
  #nextLook({ account, turnEndsAt }: Process, session: string, now: number): number {
    if (this.world.substrate(account) !== undefined) return Math.max(turnEndsAt, now + hour)
    const { load = 1 } = this.world.options
    const left = 1 - this.world.usedBy(account, this.world.session(session).model, now)
    const atLeast = Math.min(Math.max((left * 2 * hour) / load, 10 * minute), (2 * hour) / load)
    return Math.max(Math.min(turnEndsAt, now + 10 * minute), now + atLeast)
  }

  #deliver({ session: name, fence, messageId }: DeliverRequest): void {
    this.#enter()
    const session = this.#short(name)
    if (this.#processes.get(session)?.fence !== fence)
      throw failureFrom(new StaleFenceError(session, fence, 0))
    this.counts.texts += 1
    const known = this.delivered.get(session) ?? []
    if (known.includes(messageId))
      this.#violated(this.#now, `${session} was sent ${messageId} twice (law 13)`)
    this.delivered.set(session, [...(this.delivered.get(session) ?? []), messageId])
  }

  #probe(account: string): AccountReading {
    this.counts.probes += 1
    return this.#knowledge.probe(account, this.#enter())
  }

  #wants(session: string, now: number): void {
    this.#awaitingTurn.delete(session)
    this.world.remove(session, now)
    this.#ledger.add('wants', now, () => this.oracle.requestsPlace(session))
  }

  /** Whether a session on the account works and gets answers. */
  #isAnswered(account: string, now: number): boolean {
    return [...this.#processes].some(
      ([session, process]) =>
        process.account === account &&
        now - process.upAt >= minute &&
        this.world.isActive(session, now) &&
        this.world.troubleOf(session, account, now) === null,
    )
  }

  #turn(): number {
    return Math.round(this.#random.between(5, 60) * minute)
  }

  #short(session: string): string {
    return session.slice(this.pool.length + 1)
  }

  /** An error of this host itself would be retried for ever, and time would hardly advance. */
  #unexpected(error: unknown): never {
    if (!(error instanceof ApplicationFailure)) this.#violated(this.#now, String(error))
    throw error
  }

  #violated(now: number, what: string): void {
    this.oracle.violations.push(`${iso(now)} ${what}`)
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
type PartialObservation = DistributiveOmit<
  SessionObservation,
  'readings' | 'at' | 'transcriptTo' | 'wasWorking'
>

function thisActivity(): string {
  const { activityId, workflowExecution } = Context.current().info
  return `${activityId} ${workflowExecution?.runId ?? ''}`
}
