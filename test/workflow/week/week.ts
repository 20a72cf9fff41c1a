/**
 * Weeks of several hosts on one server with virtual time: starts what a worker would start, and does what
 * people and schedules do.
 */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { commonQueue, loopScheduleId, poolWorkflowId, watchdogWorkflowId } from '../../../policy/ids.js'
import type { PoolSettings } from '../../../policy/pool/lease.js'
import { defaultTiming } from '../../../policy/account/account.js'
import type { TaskRecord } from '../../../policy/tasks/tasks.js'
import {
  type LoopStart,
  poolSignals,
  type WatchdogView,
  watchdogQueries,
  watchdogSignals,
  watchdogUpdates,
} from '../../../workflows/messages.js'
import type { TestServer } from '../harness/testServer.js'
import { WeekHost } from './host.js'
import type { LoggedEntry } from './log.js'
import { type Violation, Oracle } from './oracle.js'
import type { TaskPlan, WeekPlan } from './plan.js'
import { hour, minute, second, spanAt } from './spans.js'
import { reasons } from './fakeTasks.js'

interface Due {
  at: number
  what: () => Promise<void>
}

interface Run {
  task: TaskPlan
  due: number
  handle: WorkflowHandle
}

/** People come by this often. */
const peopleEvery = 3 * hour

export class Week {
  readonly host: WeekHost
  readonly plan: WeekPlan
  readonly #testServer: TestServer
  readonly #runs: Run[] = []
  readonly #broken: Violation[] = []

  private constructor(testServer: TestServer, plan: WeekPlan) {
    this.#testServer = testServer
    this.plan = plan
    this.host = new WeekHost(plan)
  }

  /** Runs them all at once: the whole server has one clock. */
  static async run(testServer: TestServer, plans: readonly WeekPlan[]): Promise<Week[]> {
    const weeks = plans.map((plan) => new Week(testServer, plan))
    for (const week of weeks) await week.#begin()
    const due = weeks.flatMap((week) => week.#timeline()).toSorted((a, b) => a.at - b.at)
    for (const { at, what } of due) {
      await testServer.advance(Math.max(0, at - (await testServer.now())))
      await what()
    }
    await testServer.advance(Math.max(0, Math.max(...plans.map(({ end }) => end)) - (await testServer.now())))
    for (const week of weeks) await week.#judge()
    return weeks
  }

  get violations(): readonly Violation[] {
    return this.#broken.toSorted((a, b) => a.at - b.at)
  }

  /** What happened to its services. */
  entries(): LoggedEntry[] {
    return [...this.plan.services.keys()].flatMap((service) => [...this.host.log.of(service)])
  }

  get #workflow() {
    return this.#testServer.client.workflow
  }

  #watchdog(service: string): WorkflowHandle {
    return this.#workflow.getHandle(watchdogWorkflowId(service))
  }

  #card(service: string): Promise<WatchdogView> {
    return this.#watchdog(service).query(watchdogQueries.describe)
  }

  async #begin(): Promise<void> {
    const { host, plan } = this
    await this.#testServer.addHost(host)
    const settings: PoolSettings = {
      ...{ name: host.pool, host: host.hostId, accounts: [], moveAt: 0.95, timing: defaultTiming },
      notices: {
        ...{ channels: ['me'], settleFor: 30 * second, retryEvery: 30 * second, retryMaxInterval: minute },
        giveUpAfter: 24 * hour,
      },
    }
    await this.#workflow.signalWithStart('pool', {
      ...{ workflowId: poolWorkflowId(host.pool), taskQueue: commonQueue, args: [settings] },
      ...{ signal: poolSignals.configure, signalArgs: [settings] },
    })
    for (const [name, { spec }] of plan.services)
      await this.#workflow.start('watchdog', {
        ...{ workflowId: watchdogWorkflowId(name), taskQueue: commonQueue },
        args: [{ ...spec, name, host: host.hostId, pool: host.pool }],
      })
  }

  #timeline(): Due[] {
    const { start, end, services, tasks } = this.plan
    const every = (interval: number, what: (at: number) => Promise<void>): Due[] =>
      Array.from({ length: Math.floor((end - start) / interval) }, (_, n) => start + n * interval).map(
        (at) => ({
          at,
          what: () => what(at),
        }),
      )
    return [
      ...every(peopleEvery, async () => this.host.passTo(await this.#testServer.now())),
      ...tasks.flatMap((task) => every(task.every, (at) => this.#startTask(task, at))),
      ...[...services].flatMap(([name, { paused, checks }]) => [
        ...paused.flatMap(({ from, to }) => [
          { at: from, what: () => this.#order(name, 'pause') },
          { at: to, what: () => this.#order(name, 'resume') },
        ]),
        ...checks.map((at) => ({ at, what: () => this.#check(name, at) })),
      ]),
    ]
  }

  async #order(service: string, order: 'pause' | 'resume'): Promise<void> {
    const at = await this.#testServer.now()
    this.host.log.add(service, { at, kind: order === 'pause' ? 'paused' : 'resumed' })
    await this.#watchdog(service).signal(watchdogSignals[order])
  }

  /** Waits until the host is up. */
  async #check(service: string, at: number): Promise<void> {
    if (this.#isOut(at)) return
    await this.#watchdog(service).executeUpdate(watchdogUpdates.check, { args: [] })
  }

  #isOut(at: number): boolean {
    return spanAt([...this.plan.workerDown, ...this.plan.suspended], at) !== null
  }

  /** As its schedule does it: a run that is due while the one before still runs is skipped. */
  async #startTask(task: TaskPlan, at: number): Promise<void> {
    const { name, kind } = task
    const run: LoopStart = { name, kind, host: this.host.hostId, attentionAfter: 3, session: null }
    const last = this.#runs.findLast((one) => one.task === task)
    this.host.tasks.due.set(name, at)
    try {
      const handle = await this.#workflow.start('loop', {
        ...{ workflowId: loopScheduleId(name), taskQueue: commonQueue, args: [run] },
      })
      this.#runs.push({
        ...{ task, due: at, handle: this.#workflow.getHandle(handle.workflowId, handle.firstExecutionRunId) },
      })
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || last === undefined) throw error
      this.host.tasks.due.set(name, last.due)
      if (last.due + task.outcome(last.due).takes + minute < at)
        this.#addViolation(at, `the run of ${name} before this did not end in time`)
    }
  }

  async #judge(): Promise<void> {
    const { host, plan } = this
    const { workerDown, suspended, end } = plan
    for (const [name, guard] of host.guards) {
      const { service } = guard
      this.#broken.push(...new Oracle(service, host.log.of(name), workerDown, suspended, end).judge())
      const { state, incident, attention } = await this.#card(name)
      if (!service.isUp(end) || state !== 'running' || incident !== null || attention !== null)
        this.#addViolation(end, `${name} is ${state} at the end, incident ${incident}, ${attention}`)
    }
    for (const what of host.tasks.violations) this.#addViolation(end, what)
    for (const run of this.#runs) await this.#judgeRun(run)
  }

  /** Each run is recorded, with its error if it failed. */
  async #judgeRun({ task, due, handle }: Run): Promise<void> {
    const { kind, takes } = task.outcome(due)
    if (due + takes + hour > this.plan.end) return
    const error = kind === 'well' ? null : reasons[kind]
    const record = await handle.result().then(
      (record) => record as TaskRecord,
      (failure: unknown) => {
        const cause = failure instanceof WorkflowFailedError ? failure.cause : null
        return cause instanceof ApplicationFailure ? (cause.details?.[0] as TaskRecord) : null
      },
    )
    if (record?.lastResult?.error !== error || record.lastResult.ok !== (error === null))
      this.#addViolation(due, `${task.name}: ${JSON.stringify(record)} is recorded, and it was: ${error}`)
  }

  #addViolation(at: number, what: string): void {
    this.#broken.push({ at, what, history: [] })
  }

  async close(): Promise<void> {
    await this.#testServer.settle()
    for (const service of this.plan.services.keys())
      await this.#watchdog(service)
        .terminate()
        .catch(() => undefined)
    await this.#workflow.getHandle(poolWorkflowId(this.host.pool)).terminate()
  }
}
