/** The parts of one test: a pool, a host and sessions, with unique ids on the shared server. */
import type { WorkflowHandle } from '@temporalio/client'
import proto from '@temporalio/proto'
import { defaultTiming, type AccountSpec, type Timing, type Wall } from '../../../policy/account/account.js'
import { commonQueue, poolWorkflowId, sessionWorkflowId } from '../../../policy/ids.js'
import type { PoolSettings, PoolView } from '../../../policy/pool/lease.js'
import type { NoticeSettings } from '../../../policy/notices/notice.js'
import type { SessionDetails } from '../../../policy/session/session.js'
import {
  poolQueries,
  poolSignals,
  sessionQueries,
  sessionSignals,
  type MoveArgs,
  type SessionStart,
} from '../../../workflows/messages.js'
import { renewAfterEvents } from '../../../workflows/renewal.js'
import { FakeHost, type ScriptedObservation } from './fakeHost.js'
import type { TestServer } from './testServer.js'

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** Real time that any wait may take: past it, something hangs. */
const wallClockBound = 180_000
const callBound = 60_000

let poolCount = 0

export interface TestPoolOptions {
  accounts: string[]
  substrates?: string[]
  specs?: Record<string, Partial<AccountSpec>>
  timing?: Partial<Timing>
  /** Whether the pool's workflow runs from the beginning. */
  withPool?: boolean
  /** Without channels, no notices are sent. */
  notices?: NoticeSettings
}

export class TestPool {
  readonly server: TestServer
  readonly host: FakeHost
  readonly name: string
  readonly settings: PoolSettings
  /** How much time passes between two checks of `until`, by default. */
  step = second
  readonly #sessions = new Map<string, WorkflowHandle>()
  readonly #otherWorkflows: WorkflowHandle[] = []
  readonly #worker: { close: () => Promise<void> }

  private constructor(
    testServer: TestServer,
    host: FakeHost,
    settings: PoolSettings,
    worker: { close: () => Promise<void> },
  ) {
    this.server = testServer
    this.host = host
    this.name = settings.name
    this.settings = settings
    this.#worker = worker
  }

  static async open(testServer: TestServer, options: TestPoolOptions): Promise<TestPool> {
    const pool = `pool-${++poolCount}`
    const host = new FakeHost(`host-${poolCount}`, pool, options.accounts, options.substrates)
    const settings: PoolSettings = {
      name: pool,
      moveAt: 0.95,
      host: host.hostId,
      timing: { ...defaultTiming, ...options.timing },
      accounts: [
        ...options.accounts.map((name): AccountSpec => ({
          ...{ name, role: 'pool', ceiling: 1, maxSessions: null },
          ...options.specs?.[name],
        })),
        ...(options.substrates ?? []).map((name): AccountSpec => ({
          ...{ name, role: 'substrate', ceiling: 1, maxSessions: null },
          runs: { agent: 'claude-code', model: `${name}-model` },
          ...options.specs?.[name],
        })),
      ],
      ...(options.notices === undefined ? {} : { notices: options.notices }),
    }
    const testPool = new TestPool(testServer, host, settings, await testServer.addHost(host))
    host.liveSessions = () => testPool.#live()
    host.drill.describe = (session) =>
      testServer.client.workflow.getHandle(sessionWorkflowId(session)).query(sessionQueries.describe)
    if (options.withPool ?? true) await testPool.startPool()
    return testPool
  }

  /** As the worker does it at its start. */
  async startPool(): Promise<void> {
    await this.server.client.workflow.signalWithStart('pool', {
      workflowId: poolWorkflowId(this.name),
      taskQueue: commonQueue,
      args: [this.settings],
      signal: poolSignals.configure,
      signalArgs: [this.settings],
    })
  }

  /** Starts a session's workflow. Returns its name, made unique on the server. */
  async start(name: string, change: Partial<SessionStart> = {}): Promise<string> {
    const unique = `${this.name}-${name}`
    const start: SessionStart = {
      name: unique,
      pool: this.name,
      sessionId: `conversation-${unique}`,
      host: this.host.hostId,
      agent: 'claude-code',
      cwd: '/home/someone/project',
      model: null,
      account: null,
      pinned: false,
      priority: 5,
      prompt: null,
      continues: false,
      timing: this.settings.timing,
      ...change,
    }
    const handle = await this.server.client.workflow.start('session', {
      workflowId: sessionWorkflowId(unique),
      taskQueue: commonQueue,
      args: [start],
    })
    this.#sessions.set(unique, handle)
    return unique
  }

  /** Starts a session and waits until it runs. */
  async startRunning(name: string, change: Partial<SessionStart> = {}): Promise<string> {
    const session = await this.start(name, change)
    await this.untilSession(session, ({ phase, pid }) => phase === 'working' && pid !== null)
    return session
  }

  handle(session: string): WorkflowHandle {
    const handle = this.#sessions.get(session)
    if (handle === undefined) throw new Error(`no session ${session} was started here`)
    // Without the run id, so that it is followed through continue-as-new.
    return this.server.client.workflow.getHandle(handle.workflowId)
  }

  /** Another workflow that is checked and ended with the test pool. */
  closeLater(handle: WorkflowHandle): void {
    this.#otherWorkflows.push(handle)
  }

  get poolHandle(): WorkflowHandle {
    return this.server.client.workflow.getHandle(poolWorkflowId(this.name))
  }

  describe(session: string): Promise<SessionDetails> {
    return this.handle(session).query(sessionQueries.describe)
  }

  describePool(): Promise<PoolView> {
    return this.poolHandle.query(poolQueries.describe)
  }

  signal(session: string, what: 'stop' | 'pause' | 'resume' | 'migrate'): Promise<void> {
    return this.handle(session).signal(sessionSignals[what])
  }

  move(session: string, args: Partial<MoveArgs> = {}): Promise<void> {
    return this.handle(session).signal(sessionSignals.move, { to: null, cause: 'move', ...args })
  }

  send(session: string, id: string, text: string): Promise<void> {
    return this.handle(session).signal(sessionSignals.send, { id, text })
  }

  /** The account refuses from now on; the session meets it. */
  async hitWall(session: string, account: string, lasts = 3 * hour): Promise<void> {
    const now = await this.server.now()
    const wall = this.host.accounts.get(account)!.hitWall(now, now + lasts)
    this.host.willObserve(session, { kind: 'walled', wall, wasWorking: true })
  }

  /** The substrate refuses from now on. */
  async hitSubstrateWall(session: string, substrate: string, lasts = 30 * minute): Promise<void> {
    const now = await this.server.now()
    const at = new Date(now).toISOString()
    const resetsAt = new Date(now + lasts).toISOString()
    const wall: Wall = { kind: 'rate_limit', scope: 'account', resetsAt, evidence: 'said so', at }
    this.host.substrates.set(substrate, [wall])
    this.host.willObserve(session, { kind: 'walled', wall, wasWorking: true })
  }

  /** Runs on this substrate, and the workflow knows it. */
  untilOnSubstrate(
    session: string,
    substrate: string,
    within?: number,
    step?: number,
  ): Promise<SessionDetails> {
    return this.untilSession(
      session,
      (now) => now.phase === 'working' && now.substrate === substrate,
      within,
      step,
    )
  }

  /** The session's watch sees this, and the workflow has processed it. */
  async observe(session: string, observation: ScriptedObservation): Promise<void> {
    this.host.willObserve(session, observation)
    await this.until(
      `${session} sees ${observation.kind}`,
      () => Promise.resolve(this.host.hasObservedAll(session)),
      (seen) => seen,
    )
  }

  /** Lets virtual time pass until the value is as wanted: for at most `within` of it, and never hanging. */
  async until<T>(
    what: string,
    read: () => Promise<T>,
    isWanted: (value: T) => boolean,
    within = 10 * minute,
    step = this.step,
  ): Promise<T> {
    const [wallEnd, end] = [performance.now() + wallClockBound, (await this.server.now()) + within]
    for (;;) {
      // A workflow that hangs does not answer; the call has to end all the same.
      const value = await this.server.env.connection.withDeadline(Date.now() + callBound, read)
      if (isWanted(value)) return value
      const isLate = performance.now() > wallEnd || (await this.server.now()) > end
      if (isLate) throw new Error(`${what}: not as wanted in time; last: ${JSON.stringify(value, null, 2)}`)
      await this.server.advance(step)
    }
  }

  untilSession(
    session: string,
    isWanted: (details: SessionDetails) => boolean,
    within?: number,
    step?: number,
  ): Promise<SessionDetails> {
    return this.until(session, () => this.describe(session), isWanted, within, step)
  }

  /** Runs on this account, and the workflow knows it. */
  untilOnAccount(session: string, account: string, within?: number, step?: number): Promise<SessionDetails> {
    return this.untilSession(
      session,
      (now) => now.phase === 'working' && now.account === account,
      within,
      step,
    )
  }

  /** Which session has a lease on which account, as the pool has it. */
  async leases(): Promise<Record<string, string[]>> {
    const { accounts } = await this.describePool()
    return Object.fromEntries(accounts.map(({ name, leases }) => [name, leases]))
  }

  /** The calls to the host for the session, as text: `stopAgent a#1`, without watches and texts. */
  steps(session: string): string[] {
    return this.host.calls
      .filter((call) => call.session === session && !['watchAgent', 'deliverText'].includes(call.step))
      .map(({ step, account, fence }) =>
        step === 'carry' ? `${step} to ${account}` : `${step} ${account}#${this.nth(session, fence)}`,
      )
  }

  /** Fences are big numbers: the session's first is 1, its second 2, and so on. */
  private nth(session: string, fence: number): number {
    const fences = this.host.calls.filter((call) => call.session === session && call.fence > 0)
    return [...new Set(fences.map((call) => call.fence))].sort((a, b) => a - b).indexOf(fence) + 1
  }

  async historyLength(session: string): Promise<number> {
    return (await this.handle(session).describe()).historyLength
  }

  /**
   * Sends messages that change nothing until the history is long enough to be cut: each of them is an event.
   */
  async untilLong(handle: WorkflowHandle, send: () => Promise<void>): Promise<void> {
    while ((await handle.describe()).historyLength <= renewAfterEvents)
      await Promise.all(Array.from({ length: 25 }, () => send()))
  }

  /** Waits until this run has continued as a new one. */
  async untilContinuedAsNew(
    handle: WorkflowHandle,
    run: string,
    within?: number,
    step?: number,
  ): Promise<void> {
    const what = `a run of ${handle.workflowId} after ${run}`
    await this.until(
      what,
      async () => (await handle.describe()).runId,
      (now) => now !== run,
      within,
      step,
    )
  }

  /**
   * Ends all that was started, after a check for bugs that workflows hide: failed tasks, breaches of laws.
   */
  async close(): Promise<void> {
    const sessions = [...this.#sessions.keys()].map((name) => this.handle(name))
    const handles = [...sessions, ...this.#otherWorkflows, this.poolHandle]
    await this.server.settle()
    // First, so that no step of the host is under way when its workflow is terminated: see settle().
    await this.#worker.close()
    await this.#untilNoTaskRuns(handles)
    const problems = [...this.host.violations]
    for (const handle of handles) {
      problems.push(...(await failuresOf(handle)))
      await handle.terminate('the test is over').catch(() => undefined)
    }
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }

  /**
   * The results of the host's last steps are tasks of the workflows, which must not be terminated during one either. A query is answered
   * between two tasks; twice, since one workflow may have signalled another.
   */
  async #untilNoTaskRuns(handles: readonly WorkflowHandle[]): Promise<void> {
    const answered = (handle: WorkflowHandle): Promise<unknown> =>
      this.server.env.connection.withDeadline(Date.now() + callBound, () =>
        handle.query('__stack_trace').catch(() => undefined),
      )
    for (let round = 0; round < 2; round++) await Promise.all(handles.map(answered))
  }

  async #live(): Promise<string[]> {
    const live: string[] = []
    for (const name of this.#sessions.keys()) {
      const { status } = await this.handle(name).describe()
      if (status.name === 'RUNNING') live.push(name)
    }
    return live
  }
}

/** Failed workflow tasks (a bug that is retried for ever) and failed runs. */
async function failuresOf(handle: WorkflowHandle): Promise<string[]> {
  const { EventType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1
  const history = await handle.fetchHistory().catch(() => null)
  return (history?.events ?? []).flatMap((event) => {
    const failed = event.workflowTaskFailedEventAttributes
    const isBug =
      failed != null && failed.cause !== WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    if (isBug) return [`${handle.workflowId}: a task failed: ${wordsOf(failed.failure)}`]
    if (event.eventType !== EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED) return []
    const { failure } = event.workflowExecutionFailedEventAttributes ?? {}
    return [`${handle.workflowId} failed: ${wordsOf(failure)}`]
  })
}

/** With its causes. Message and stack trace are a payload (workflows/failureConverter.cjs), which is not sealed here. */
function wordsOf(failure: proto.temporal.api.failure.v1.IFailure | null | undefined): string {
  const own = Buffer.from(failure?.encodedAttributes?.data ?? []).toString() || (failure?.message ?? '')
  return failure?.cause == null ? own : `${own}, caused by ${wordsOf(failure.cause)}`
}
