/**
 * The host's part in guarded services and tasks, as far as a test scripts it: what its watches see, and how
 * its steps end.
 */
import { Context } from '@temporalio/activity'
import type { SessionRef } from '../../../activities/contracts.js'
import type {
  ServiceActivities,
  ServiceObservation,
  ServiceStartRequest,
  VerifyResult,
  WakeUpPlan,
  WakeUpObservation,
} from '../../../activities/services/contracts.js'
import type { TaskActivities } from '../../../activities/tasks/contracts.js'
import type { TaskOutcome } from '../../../policy/tasks/tasks.js'
import { iso } from '../../../policy/instants.js'
import { retryLater } from './attempts.js'

/** The script of a step is used up in order; without one, all is well and nothing happens. */
class Script<T> {
  readonly #steps: T[] = []

  push(...next: T[]): void {
    this.#steps.push(...next)
  }

  next(): T | undefined {
    return this.#steps.shift()
  }

  get isEmpty(): boolean {
    return this.#steps.length === 0
  }
}

/** How often a service's watch checks, in virtual time. */
const pollEvery = 5_000

export class FakeServices {
  readonly starts: ServiceStartRequest[] = []
  /** What the service's watch sees next. */
  readonly observations = new Script<ServiceObservation>()
  /** Which agent to start next; by default on a place that is able. */
  readonly plans = new Script<WakeUpPlan>()
  /** How the woken agent ends. */
  readonly agents = new Script<WakeUpObservation>()
  readonly checks = new Script<VerifyResult>()
  /** Whether a service that no agent could help is back by itself. */
  isRecovered = false
  /** How the next runs of tasks end; successfully by default. */
  readonly runs = new Script<TaskOutcome>()
  /** Called when a woken agent is ended. */
  onAgentEnd: (ref: SessionRef) => void = () => undefined

  activities(): ServiceActivities & TaskActivities {
    const run = (): Promise<TaskOutcome> =>
      Promise.resolve(this.runs.next() ?? { ok: true, error: null, summary: 'ended well', file: null })
    return {
      // A watch that throws synchronously ends before the engine knows that it began.
      watchService: () => Promise.resolve().then(() => this.observations.next() ?? wait()),
      checkService: () =>
        Promise.resolve({
          ...{ verdict: 'well', why: 'it is there', pid: 1, lastBeat: null },
          nextCheckAt: iso(Context.current().info.currentAttemptScheduledTimestampMs),
        }),
      startService: (request) => {
        this.starts.push(request)
        return Promise.resolve({ started: true, pid: this.starts.length })
      },
      retireService: () => Promise.resolve(),
      awaitServiceRecovery: () => Promise.resolve().then(() => (this.isRecovered ? undefined : wait())),
      prepareWakeUp: () => Promise.resolve(this.plans.next() ?? readyPlan('medic')),
      watchWakeUp: () => Promise.resolve().then(() => this.agents.next() ?? wait()),
      endWakeUp: (ref) => {
        this.onAgentEnd(ref)
        return Promise.resolve()
      },
      verifyService: () => Promise.resolve(this.checks.next() ?? { well: true, why: 'it is there' }),
      noteIncident: () => Promise.resolve(),
      closeIncident: ({ description }) => Promise.resolve(`the report: ${description}`),
      runProgram: run,
      pollMail: run,
      prepareAgentTask: ({ task }) => Promise.resolve({ promptFile: `/tasks/${task}.md`, cwd: '/work' }),
      saveAnswer: run,
    }
  }
}

const wait = (): never => {
  throw retryLater(pollEvery)
}

/** A place of the healer on which an agent can be started. */
export const readyPlan = (name: string): WakeUpPlan => ({
  ...{ kind: 'ready', place: { kind: 'account', name }, agent: 'claude-code', model: null, cwd: '/work' },
  ...{ promptFile: '/incidents/wake-up.md', timeout: 1_800_000 },
})
