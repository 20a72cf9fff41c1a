/**
 * The drill: a small session of its own meets a wall on every account of the pool, declared for it alone, and has to fall back,
 * answer and come home. It proves in production what the drain tests prove in virtual time (law 2).
 */
import type { SignalDefinition } from '@temporalio/common'
import {
  ActivityFailure,
  ApplicationFailure,
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
import type { DrillSetup } from '../../activities/contracts.js'
import * as policy from '../../policy/independence/drill.js'
import { poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import { poolSignals, sessionSignals, type MoveArgs, type SendArgs } from '../messages.js'
import { drillsOn } from '../proxies.js'
import { showAttention } from '../session/display.js'
import type { session } from '../session/workflow.js'

/** Its session was told to stop, and gets this long for it. */
const stopTimeout = '5 minutes'

/** Behind every session that somebody works with. */
const lowestPriority = 1_000

const now = (): string => new Date().toISOString()

export async function drill(start: policy.DrillStart): Promise<policy.DrillReport> {
  const exercise = new DrillRun(start)
  try {
    await exercise.run()
  } catch (error) {
    exercise.why = failureReason(error)
  }
  return CancellationScope.nonCancellable(() => exercise.conclude())
}

/** Thrown when a step did not come to what it has to: the drill has failed, and is over. */
class DrillStepFailed extends Error {
  override readonly name = 'StepFailed'
}

/** Everything but our own failures and a person's order is a fault of the code, which a repair gets going again. */
function failureReason(error: unknown): string {
  if (error instanceof DrillStepFailed) return error.message
  if (isCancellation(error)) return 'it was called off'
  throw error
}

class DrillRun {
  /** Why it failed; null while it did not. */
  why: string | null = null
  readonly #start: policy.DrillStart
  readonly #startedAt = now()
  readonly #until: string
  readonly #session: string
  readonly #activities: ReturnType<typeof drillsOn>
  readonly #steps: policy.DrillStep[] = []
  #child: ChildWorkflowHandle<typeof session> | null = null

  constructor(start: policy.DrillStart) {
    this.#start = start
    this.#until = new Date(Date.parse(this.#startedAt) + start.within).toISOString()
    this.#session = policy.drillSessionName(this.#startedAt)
    this.#activities = drillsOn(start.host, start.within)
  }

  async run(): Promise<void> {
    const ground = await this.#step(
      'is apart from the pool',
      () => this.#activities.prepareDrill(),
      describeGround,
    )
    this.#child = await this.#startSession(ground)
    const up = await this.#reachStage('up', 'comes up and answers', this.#startedAt)
    const declaredAt = now()
    await this.#signalPool(poolSignals.simulateWall, { session: this.#session, until: this.#until })
    const wall: MoveArgs = { to: null, cause: 'wall', mayReturn: true }
    await this.#child.signal(sessionSignals.move, wall)
    if (ground.fallbacks.length > 0) {
      await this.#reachStage('fallback', 'falls back', declaredAt)
      // Not before: the account that it leaves would answer.
      const askedAt = now()
      const text: SendArgs = { id: `${this.#session}-away`, text: policy.drillPrompts.onFallback }
      await this.#child.signal(sessionSignals.send, text)
      await this.#reachStage('answer', 'answers there', askedAt)
    } else await this.#reachStage('parked', 'parks: there is no substrate', declaredAt)
    await this.#signalPool(poolSignals.liftWall, this.#session)
    // Where the pool is spent in earnest, there is no home to come to.
    if (up.account !== null) await this.#reachStage('home', 'comes home', declaredAt)
  }

  #startSession({ cwd }: DrillSetup): Promise<ChildWorkflowHandle<typeof session>> {
    const { pool, host, agent, model, timing } = this.#start
    return startChild<typeof session>('session', {
      workflowId: sessionWorkflowId(this.#session),
      args: [
        {
          ...{ name: this.#session, pool, sessionId: uuid4(), host, agent, cwd, model, timing },
          ...{ account: null, pinned: false, priority: lowestPriority, continues: false },
          prompt: policy.drillPrompts.first,
        },
      ],
      // A drill that is terminated must leave no session behind: one that is cancelled stops.
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: 'the session of a drill',
    })
  }

  async #reachStage(stage: policy.DrillStage, name: string, since: string): Promise<policy.DrillObservation> {
    const { agent } = this.#start
    const look = { session: this.#session, agent, stage, since, until: this.#until }
    const summary = `the session of the drill ${name}`
    return this.#step(
      name,
      async () => {
        const { reached, observation } = await this.#activities.watchDrill.executeWithOptions({ summary }, [
          look,
        ])
        const seen = policy.describeObservation(observation)
        if (!reached)
          throw new DrillStepFailed(`its session did not get there in time: ${name}; last seen: ${seen}`)
        return observation
      },
      policy.describeObservation,
    )
  }

  /** Takes note of the step, however it ends. */
  async #step<T>(name: string, work: () => Promise<T>, found: (result: T) => string): Promise<T> {
    const startedAt = now()
    const note = (ok: boolean, what: string): void => {
      this.#steps.push({ name, startedAt, ms: Date.parse(now()) - Date.parse(startedAt), found: what, ok })
      setCurrentDetails(policy.drillPage(this.#steps))
    }
    try {
      const result = await work()
      note(true, found(result))
      return result
    } catch (error) {
      const failure =
        error instanceof ActivityFailure && !isCancellation(error) ? stepFailureOf(error) : error
      if (failure instanceof DrillStepFailed) note(false, failure.message)
      throw failure
    }
  }

  /** Leaves nothing declared and nothing running, writes the report, and has a person told where it failed. */
  async conclude(): Promise<policy.DrillReport> {
    await this.#signalPool(poolSignals.liftWall, this.#session)
    await this.#endSession()
    const report: policy.DrillReport = {
      ...{
        id: workflowInfo().workflowId,
        session: this.#session,
        startedAt: this.#startedAt,
        endedAt: now(),
      },
      ...{ ok: this.why === null, why: this.why, steps: this.#steps },
    }
    const summary = report.ok ? 'write the report' : 'write the report of a failure'
    if (!report.ok) {
      showAttention(true)
      await this.#signalPool(poolSignals.announce, policy.drillNotice(report))
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
      // It has ended by itself, or was ended by somebody.
    }
  }

  /** A pool that is not there has nothing declared. */
  async #signalPool<Args extends unknown[]>(signal: SignalDefinition<Args>, ...message: Args): Promise<void> {
    await getExternalWorkflowHandle(poolWorkflowId(this.#start.pool))
      .signal(signal, ...message)
      .catch(() => undefined)
  }
}

const describeGround = ({ fallbacks }: DrillSetup): string =>
  fallbacks.length === 0 ? 'no substrate is configured' : `falls back to ${fallbacks.join(', ')}`

function stepFailureOf({ cause, message }: ActivityFailure): DrillStepFailed {
  return new DrillStepFailed(
    cause instanceof ApplicationFailure ? cause.message : (cause?.message ?? message),
  )
}
