/**
 * The drill: a small session meets a simulated wall on every account of the pool, and has to fall back, answer and fail back. The
 * walls count for this session alone. The drill proves in production what the drain tests prove in virtual time (law 2).
 */
import type { SignalDefinition } from '@temporalio/common'
import {
  ActivityFailure,
  CancellationScope,
  type ChildWorkflowHandle,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  sleep,
  startChild,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow'
import type { DrillSetup, DrillWatchRequest } from '../../activities/contracts.js'
import {
  type DrillObservation,
  type DrillReport,
  drillSessionName,
  type DrillStage,
  type DrillStart,
  type DrillStep,
} from '../../policy/independence/drill.js'
import { poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import { poolSignals, sessionSignals, type MoveArgs, type SendArgs } from '../messages.js'
import { showAttention } from '../attributes.js'
import { later, now } from '../now.js'
import { drillsOn } from '../proxies.js'
import type { session } from '../session/workflow.js'
import { failureOf } from '../stepFailures.js'
import { describeObservation, describeSetup, drillNotice, drillPage, drillPrompts } from './texts.js'

/** The session of the drill gets this long to stop. */
const stopTimeout = '5 minutes'

/** Behind every other session. */
const lowestPriority = 1_000

export async function drill(start: DrillStart): Promise<DrillReport> {
  const run = new DrillRun(start)
  try {
    await run.run()
  } catch (error) {
    run.why = failureReason(error)
  }
  return CancellationScope.nonCancellable(() => run.conclude())
}

/** Thrown when a step did not reach what it has to: the drill has failed, and ends. */
class DrillStepFailed extends Error {
  override readonly name = 'DrillStepFailed'
}

/** Every other error is a bug: thrown on, so that the workflow can go on once the code is repaired. */
function failureReason(error: unknown): string {
  if (error instanceof DrillStepFailed) return error.message
  if (isCancellation(error)) return 'it was cancelled'
  throw error
}

class DrillRun {
  /** Why the drill failed, or null. */
  why: string | null = null
  readonly #start: DrillStart
  readonly #startedAt = now()
  readonly #until: string
  readonly #session: string
  readonly #activities: ReturnType<typeof drillsOn>
  readonly #steps: DrillStep[] = []
  #child: ChildWorkflowHandle<typeof session> | null = null

  constructor(start: DrillStart) {
    this.#start = start
    this.#until = later(start.timeout)
    this.#session = drillSessionName(this.#startedAt)
    this.#activities = drillsOn(start.host, start.timeout)
  }

  async run(): Promise<void> {
    const setup = await this.#step(
      'is apart from the pool',
      () => this.#activities.prepareDrill(),
      describeSetup,
    )
    this.#child = await this.#startSession(setup)
    const up = await this.#reachStage('up', 'comes up and answers', this.#startedAt)
    const walledAt = now()
    await this.#signalPool(poolSignals.simulateWall, { session: this.#session, until: this.#until })
    const wall: MoveArgs = { to: null, cause: 'wall', mayReturn: true }
    await this.#child.signal(sessionSignals.move, wall)
    if (setup.fallbacks.length > 0) {
      await this.#reachStage('fallback', 'falls back', walledAt)
      // Asked only now: before, the account that the session leaves would answer.
      const askedAt = now()
      const text: SendArgs = { id: `${this.#session}-on-fallback`, text: drillPrompts.onFallback }
      await this.#child.signal(sessionSignals.send, text)
      await this.#reachStage('answer', 'answers there', askedAt)
    } else await this.#reachStage('parked', 'parks: there is no substrate', walledAt)
    await this.#signalPool(poolSignals.liftWall, this.#session)
    // If the session never got an account, the pool is really spent, and the session can't fail back.
    if (up.account !== null) await this.#reachStage('failback', 'fails back', walledAt)
  }

  #startSession({ cwd }: DrillSetup): Promise<ChildWorkflowHandle<typeof session>> {
    const { pool, host, agent, model, timing } = this.#start
    return startChild<typeof session>('session', {
      workflowId: sessionWorkflowId(this.#session),
      args: [
        {
          ...{ name: this.#session, pool, sessionId: uuid4(), host, agent, cwd, model, timing },
          ...{ account: null, pinned: false, priority: lowestPriority, continues: false },
          prompt: drillPrompts.first,
        },
      ],
      // A terminated drill must leave no session behind: a session that is cancelled stops.
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: 'the session of a drill',
    })
  }

  async #reachStage(stage: DrillStage, name: string, since: string): Promise<DrillObservation> {
    const { agent } = this.#start
    const request: DrillWatchRequest = { session: this.#session, agent, stage, since, until: this.#until }
    const summary = `the session of the drill ${name}`
    return this.#step(
      name,
      async () => {
        const { reached, observation } = await this.#activities.watchDrill.executeWithOptions({ summary }, [
          request,
        ])
        const observed = describeObservation(observation)
        if (!reached)
          throw new DrillStepFailed(
            `the session did not reach this step in time: ${name}; last observed: ${observed}`,
          )
        return observation
      },
      describeObservation,
    )
  }

  /** Records the step, however it ends. */
  async #step<T>(name: string, work: () => Promise<T>, found: (result: T) => string): Promise<T> {
    const startedAt = now()
    const record = (ok: boolean, what: string): void => {
      this.#steps.push({ name, startedAt, ms: Date.parse(now()) - Date.parse(startedAt), found: what, ok })
      setCurrentDetails(drillPage(this.#steps))
    }
    try {
      const result = await work()
      record(true, found(result))
      return result
    } catch (error) {
      const isStepFailure = error instanceof ActivityFailure && !isCancellation(error)
      const failure = isStepFailure ? new DrillStepFailed(failureOf(error).message) : error
      if (failure instanceof DrillStepFailed) record(false, failure.message)
      throw failure
    }
  }

  /** Lifts the walls, ends the session and writes the report. If the drill failed, a person is notified. */
  async conclude(): Promise<DrillReport> {
    await this.#signalPool(poolSignals.liftWall, this.#session)
    await this.#endSession()
    const report: DrillReport = {
      id: workflowInfo().workflowId,
      session: this.#session,
      startedAt: this.#startedAt,
      endedAt: now(),
      ok: this.why === null,
      why: this.why,
      steps: this.#steps,
    }
    const summary = report.ok ? 'write the report' : 'write the report of a failure'
    if (!report.ok) {
      showAttention(true)
      await this.#signalPool(poolSignals.announce, drillNotice(report))
    }
    await this.#activities.writeDrillReport.executeWithOptions({ summary }, [report])
    return report
  }

  async #endSession(): Promise<void> {
    const child = this.#child
    if (child === null) return
    try {
      await child.signal(sessionSignals.stop)
      await Promise.race([child.result(), sleep(stopTimeout)])
    } catch {
      // The session has ended already.
    }
  }

  /** Ignores a pool that does not run: it has no simulated wall to lift. */
  async #signalPool<Args extends unknown[]>(signal: SignalDefinition<Args>, ...message: Args): Promise<void> {
    await getExternalWorkflowHandle(poolWorkflowId(this.#start.pool))
      .signal(signal, ...message)
      .catch(() => undefined)
  }
}
