/**
 * A host with one service: it tracks processes and fences, refuses what a real host would refuse, and lets
 * the service fail as its plan says. An oracle beside it records every breach of a law. Its minutes are
 * short.
 */
import { Context } from '@temporalio/activity'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import type { HostActivities, LaunchRequest } from '../../activities/contracts.js'
import type {
  ServiceActivities,
  ServiceObservation,
  ServiceStartRequest,
  WakeUpPlan,
  WakeUpObservation,
} from '../../activities/services/contracts.js'
import type { Trouble } from '../../policy/service/service.js'
import type { SimulatedHost } from './harness/testServer.js'
import { failureFrom } from '../../activities/failures.js'
import { StaleFenceError } from '../../host/errors.js'

/**
 * So that days pass in seconds: the server with virtual time miscounts when a watch is cancelled between two
 * checks.
 */
export const minute = 10

/**
 * What happens to the service at an instant. `broken`: no process lives for more than a moment until an
 * agent, or a person, repairs it.
 */
export interface Fault {
  at: number
  kind: 'exit' | 'hang' | 'broken'
}

/** How the next woken agent ends. */
export type Agent = 'heals' | 'wrong' | 'walled' | 'late'

interface Process {
  startedAt: number
  /** Set as soon as it ended or stopped working. */
  failed: { at: number; verdict: Trouble } | null
}

const instant = (): number => Date.now()

/** "Not yet": asked again after this delay. */
const notYet = (ms: number): ApplicationFailure =>
  ApplicationFailure.create({
    ...{ type: 'NotYet', message: 'nothing has happened', nextRetryDelay: Math.max(Math.round(ms), 1) },
    category: ApplicationFailureCategory.BENIGN,
  })

export class SimulatedService implements SimulatedHost {
  readonly hostId: string
  readonly pool: string
  readonly violations: string[] = []
  /** Spans during which the service did not work, newest last; the open one has no end. */
  readonly downs: { from: number; to: number | null; broken: boolean }[] = []
  readonly starts: { at: number; fence: number; says: string }[] = []
  readonly woken: LaunchRequest[] = []
  /** A process that is silent for longer is called frozen. */
  staleAfter = 15 * minute
  every = 10 * minute
  /** How often a dying worker carries a step out and loses its answer. */
  answersLost = 0
  isBroken = false
  /** How long a woken agent works. */
  agentTakesMs = 5 * minute

  #faults: Fault[]
  #agents: Agent[]
  #process: Process | null = null
  #fence = 0
  #incidents = 0
  #openIncident: number | null = null
  #agentAtWork = false

  constructor(hostId: string, faults: Fault[], agents: Agent[]) {
    this.hostId = hostId
    this.pool = `pool of ${hostId}`
    this.#faults = faults.toSorted((a, b) => a.at - b.at)
    this.#agents = [...agents]
  }

  liveSessions = (): Promise<string[]> => Promise.resolve([])

  get isDown(): boolean {
    return this.downs.at(-1)?.to === null
  }

  get faultsLeft(): number {
    return this.#faults.length
  }

  activities(): Partial<HostActivities & ServiceActivities> {
    return {
      watchService: async (request) => {
        await Promise.resolve()
        return this.#watch(request)
      },
      checkService: async () => {
        await Promise.resolve()
        const verdict = this.#verdict(instant()) ?? 'well'
        return {
          verdict,
          why: verdict,
          pid: 1,
          lastBeat: null,
          nextCheckAt: new Date(instant()).toISOString(),
        }
      },
      startService: async (request) => {
        await Promise.resolve()
        return this.#answer(this.#start(request, 'watchdog'))
      },
      retireService: () => Promise.resolve(void (this.#process = null)),
      awaitServiceRecovery: async () => {
        await Promise.resolve()
        if (this.#process === null || this.#verdict(instant()) !== null) throw notYet(10 * minute)
      },
      prepareWakeUp: async ({ tried }) => {
        await Promise.resolve()
        return this.#prepare(tried.map(({ place }) => place.name))
      },
      launchAgent: async (request) => {
        await Promise.resolve()
        if (this.#agentAtWork) this.violations.push('an agent was woken beside another')
        this.#agentAtWork = true
        this.woken.push(request)
        return {
          ...{ pane: '%1', pid: 1, tmuxSocket: '/tmux', transcript: null, transcriptFrom: 0 },
          ...{ promptTaken: true, settledForks: [], pendingInput: [], plans: [], steps: [] },
        }
      },
      watchWakeUp: async () => {
        await Promise.resolve()
        return this.#agentWork()
      },
      endWakeUp: async () => {
        await Promise.resolve()
        this.#agentAtWork = false
      },
      verifyService: async ({ fence, incident }) => {
        await Promise.resolve()
        this.#start({ service: '', fence, incident, description: 'verify' }, 'escalation')
        const well = this.#verdict(instant()) === null
        return { well, why: well ? 'well' : 'still down' }
      },
      noteIncident: () => Promise.resolve(),
      closeIncident: () => Promise.resolve(this.#close()),
    }
  }

  /** What the worker did before it was killed has happened; its answer is lost. */
  #answer<T>(value: T): T {
    if (this.answersLost === 0) return value
    this.answersLost -= 1
    throw notYet(50)
  }

  #close(): string {
    this.#openIncident = null
    return 'report'
  }

  /** Carries out everything that the plan has for the time up to `now`. */
  #advance(now: number): void {
    for (let next = this.#faults[0]; next && next.at <= now; next = this.#faults[0]) {
      const process = this.#process
      if (process === null || process.failed !== null) {
        // A service that is down cannot fail: the failure happens once it is up again.
        if (this.#downSince(now)) return
      }
      this.#faults.shift()
      if (next.kind === 'broken') this.isBroken = true
      if (process !== null)
        this.#fail(process, Math.max(next.at, process.startedAt), next.kind === 'hang' ? 'frozen' : 'missing')
    }
  }

  #downSince(now: number): boolean {
    const down = this.downs.at(-1)
    return down !== undefined && down.to === null && down.from <= now
  }

  #fail(process: Process, at: number, verdict: Trouble): void {
    process.failed = { at, verdict }
    if (this.downs.at(-1)?.to !== null || this.downs.length === 0)
      this.downs.push({ from: at, to: null, broken: this.isBroken })
  }

  /** What a check finds; null if the service is well. */
  #verdict(now: number): Trouble | null {
    this.#advance(now)
    const process = this.#process
    if (process === null) return 'missing'
    if (process.failed === null) return null
    if (process.failed.verdict === 'frozen' && now < process.failed.at + this.staleAfter) return null
    return process.failed.verdict
  }

  #watch({
    reportTrouble,
    incident,
  }: {
    reportTrouble: boolean
    incident: number | null
  }): ServiceObservation {
    const now = instant()
    const verdict = this.#verdict(now)
    if (verdict === null && incident !== null && this.#process?.failed === null) {
      this.#openIncident = null
      return { kind: 'back' }
    }
    if (verdict !== null && reportTrouble) {
      this.#openIncident ??= ++this.#incidents
      return { kind: 'trouble', verdict, why: verdict, incident: this.#openIncident }
    }
    throw notYet(this.every)
  }

  #start({ fence, description, incident }: ServiceStartRequest, by: 'watchdog' | 'escalation') {
    const now = instant()
    if (fence < this.#fence) throw failureFrom(new StaleFenceError('service', fence, this.#fence))
    const verdict = this.#verdict(now)
    if (fence === this.#fence) return { started: true, pid: 1 }
    if (incident === null ? this.#process !== null : verdict === null) return { started: false, pid: 1 }
    if (by === 'watchdog' && this.#agentAtWork)
      this.violations.push(`${description} while an agent was at work`)
    this.#fence = fence
    this.starts.push({ at: now, fence, says: description })
    this.#process = { startedAt: now, failed: null }
    if (this.isBroken) this.#fail(this.#process, now, 'missing')
    else {
      const down = this.downs.at(-1)
      if (down?.to === null) down.to = now
    }
    return { started: true, pid: 1 }
  }

  #prepare(tried: string[]): WakeUpPlan {
    const name = ['medic-1', 'medic-2'].find((place) => !tried.includes(place))
    if (name === undefined) return { kind: 'none', why: 'all walled' }
    return {
      ...{
        kind: 'ready',
        place: { kind: 'account', name },
        agent: 'claude-code',
        model: null,
        cwd: '/',
        timeout: 30 * minute,
      },
      promptFile: '/prompt.md',
    }
  }

  #agentWork(): WakeUpObservation {
    const { scheduledTimestampMs } = Context.current().info
    const duration = instant() - scheduledTimestampMs
    if (duration < this.agentTakesMs) throw notYet(Math.min(this.agentTakesMs - duration, 200))
    switch (this.#agents.shift() ?? 'heals') {
      case 'heals':
        this.isBroken = false
        return { kind: 'done' }
      case 'wrong':
        return { kind: 'done' }
      case 'walled':
        return { kind: 'failed', why: 'walled' }
      case 'late':
        return { kind: 'over', why: 'it was not done in time' }
    }
  }
}
