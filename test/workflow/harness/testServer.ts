/**
 * The real workflows on the server with virtual time: one server and one workflow worker per test file, and a
 * separate pool, host and sessions for each test. Time does not advance while anything runs, and then only if
 * a test lets it.
 */
import { Client } from '@temporalio/client'
import proto from '@temporalio/proto'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import {
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker'
import type { CommonActivities, HostActivities } from '../../../activities/contracts.js'
import { envelopeInterceptor } from '../../../activities/sealing.js'
import type { ServiceActivities } from '../../../activities/services/contracts.js'
import type { TaskActivities } from '../../../activities/tasks/contracts.js'
import { envelopes } from '../../../config/seal/client.js'
import { commonQueue, hostQueue } from '../../../policy/ids.js'
import { engineRetention } from '../../../policy/retention.js'
import { failureConverterPath } from '../../../worker/connection/workflowCode.js'
import { obtainTemporal } from '../../../worker/engine/find.js'
import { attributeKinds, setUpEngine } from '../../../worker/engine/setup.js'
import { endIfBlocked } from './blockedThread.js'
import { noSinks, workflowBundle } from './bundle.js'
import { asOnHost } from './hostActivities.js'
import { skip } from './leakedLock.js'
import { devServer, timeSkippingEnvironment, type DevServer } from '../../../lab/engine/engine.js'
import { ownEngineOnly } from '../../../lab/engine/ownEngineOnly.js'

const { IndexedValueType: kinds } = proto.temporal.api.enums.v1
const kindNumbers = {
  Keyword: kinds.INDEXED_VALUE_TYPE_KEYWORD,
  Datetime: kinds.INDEXED_VALUE_TYPE_DATETIME,
  Int: kinds.INDEXED_VALUE_TYPE_INT,
  Bool: kinds.INDEXED_VALUE_TYPE_BOOL,
}

// Failures that tests provoke are not worth printing; what breaks a test is thrown by the test.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
})

/**
 * Virtual time that passes in one call to the server. A busy machine takes minutes for an eventful day, and
 * the server closes connections that only ping for so long.
 */
const maxSkipPerCall = 3_600_000

/** A host: the activities of its worker, and the names of the sessions that it knows to be alive. */
export interface SimulatedHost {
  readonly hostId: string
  readonly pool: string
  activities(): Partial<HostActivities & ServiceActivities & TaskActivities>
  liveSessions(): Promise<string[]>
}

export interface TestServerOptions {
  /**
   * With more workflows than this, one that has been idle is evicted and rebuilt from its history. Default
   * 600.
   */
  maxCachedWorkflows?: number
}

export class TestServer {
  readonly env: TestWorkflowEnvironment
  /**
   * A plain client, since the environment's own lets time skip while it waits for a result: if nothing else
   * is due, to the end of the other workflows' lives, ten years on.
   */
  readonly client: Client
  readonly #hosts = new Map<string, SimulatedHost>()
  readonly #workers: { options: WorkerOptions; worker: Worker; run: Promise<void> }[] = []
  #devServer: DevServer | null = null
  #workerError: unknown = null

  private constructor(env: TestWorkflowEnvironment) {
    this.env = env
    // Without the codec, which costs time: that messages are sealed is tested on the embedded engine (test/server/attacks.test.ts).
    this.client = new Client({
      connection: env.connection,
      namespace: env.namespace ?? 'default',
      interceptors: { workflow: [envelopes] },
    })
  }

  static async open(options: TestServerOptions = {}): Promise<TestServer> {
    return TestServer.#open(await timeSkippingEnvironment(), options)
  }

  /**
   * On the embedded engine in real time: for what the server with virtual time can't do, such as terminating
   * child workflows with their parent.
   */
  static async openWallClock(): Promise<TestServer> {
    const server = await devServer()
    const { address, namespace } = server
    const testServer = await TestServer.#open(
      await TestWorkflowEnvironment.createFromExistingServer({ address, namespace }),
    )
    testServer.#devServer = server
    return testServer
  }

  /**
   * As `openReal`, on a server that suggests a new run to every workflow whose history has this many events,
   * where the product's server would wait for four thousand.
   */
  static async openWithHistoryLimit(afterEvents: number): Promise<TestServer> {
    const { path } = await obtainTemporal({ env: ownEngineOnly(), say: () => undefined })
    const env = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        extraArgs: ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${afterEvents}`],
      },
    })
    const { connection, namespace = 'default' } = env
    await setUpEngine({
      connection,
      namespace,
      own: true,
      finished: engineRetention.finished,
      say: () => undefined,
    })
    return TestServer.#open(env)
  }

  static async #open(
    env: TestWorkflowEnvironment,
    { maxCachedWorkflows: remembered = 600 }: TestServerOptions = {},
  ): Promise<TestServer> {
    if (env.supportsTimeSkipping)
      await env.connection.operatorService.addSearchAttributes({
        namespace: env.namespace ?? 'default',
        searchAttributes: Object.fromEntries(
          Object.entries(attributeKinds).map(([name, kind]) => [name, kindNumbers[kind]]),
        ),
      })
    endIfBlocked()
    const testServer = new TestServer(env)
    const common: CommonActivities = {
      listRunningSessions: ({ pool }) => testServer.#hosts.get(pool)?.liveSessions() ?? Promise.resolve([]),
    }
    await testServer.#startWorker({
      connection: env.nativeConnection,
      namespace: env.namespace ?? 'default',
      taskQueue: commonQueue,
      workflowBundle: await workflowBundle(),
      activities: { ...common },
      // A bug fails the workflow, and with it the test, instead of being retried for ever.
      workflowFailureErrorTypes: { '*': ['Error'] },
      maxCachedWorkflows: remembered,
      // Workflows run in the thread of their worker, which needs up to a third less CPU.
      debugMode: true,
    })
    return testServer
  }

  /** Starts the worker of a host; all activities of its sessions go there. */
  async addHost(host: SimulatedHost): Promise<{ close: () => Promise<void> }> {
    this.#hosts.set(host.pool, host)
    return this.#startWorker({
      connection: this.env.nativeConnection,
      namespace: this.env.namespace ?? 'default',
      taskQueue: hostQueue(host.hostId),
      activities: { ...asOnHost(host.activities(), host.pool, this.client) },
    })
  }

  /**
   * Shuts down the workers of all hosts, and starts new ones. The worker of the workflows can't be replaced:
   * this server keeps giving their tasks to the old one.
   */
  async restartHosts(): Promise<void> {
    await this.settle()
    const hosts = this.#workers.filter(({ options }) => options.taskQueue !== commonQueue)
    for (const { worker } of hosts) worker.shutdown()
    for (const { options, run } of hosts) {
      await run
      await this.#startWorker(options)
    }
  }

  async #startWorker(options: WorkerOptions): Promise<{ close: () => Promise<void> }> {
    const worker = await Worker.create({
      ...options,
      dataConverter: { failureConverterPath },
      interceptors: { activity: [envelopeInterceptor] },
      sinks: noSinks,
      shutdownGraceTime: '100ms',
    })
    const run = worker.run().catch((error: unknown) => {
      this.#workerError = error
    })
    this.#workers.push({ options, worker, run })
    return {
      close: async () => {
        if (worker.getState() === 'RUNNING') worker.shutdown()
        await run
      },
    }
  }

  /** The virtual now, in milliseconds since the epoch. */
  now(): Promise<number> {
    return this.env.currentTimeMs()
  }

  /** Lets this much virtual time pass; what becomes due in it happens. */
  async advance(ms: number): Promise<void> {
    for (let remaining = ms; remaining > 0; remaining -= maxSkipPerCall) {
      if (this.#workerError !== null) throw new Error('a worker broke', { cause: this.#workerError })
      await skip(this.env, Math.min(remaining, maxSkipPerCall))
    }
  }

  /**
   * Waits until nothing runs: the server's skipping of time shows that. A workflow that is terminated during
   * an activity or a task keeps its lock on the server's clock, and time never skips again.
   */
  async settle(): Promise<void> {
    if (this.env.supportsTimeSkipping) await this.advance(1_000)
  }

  async close(): Promise<void> {
    for (const { worker } of this.#workers) if (worker.getState() === 'RUNNING') worker.shutdown()
    await Promise.all(this.#workers.map(({ run }) => run))
    await this.env.teardown()
    await this.#devServer?.stop()
  }
}
