/** The worker of one host: its own queue for what touches the host, and the common one for workflows. */
import { Client, type Connection } from '@temporalio/client'
import { NativeConnection, type WorkflowBundleOption } from '@temporalio/worker'
import { commonActivities, hostActivities } from '../activities/index.js'
import { adoptionActivities } from '../activities/adoption/index.js'
import { drillActivities } from '../activities/drill.js'
import { CleanupLoop } from '../activities/cleanup/cleanup.js'
import { Host } from '../host/host.js'
import { log } from '../host/log.js'
import { type RequestLeases, LeaseBatcher } from '../activities/watch/leaseBatcher.js'
import { BlockerWatch } from '../activities/watch/blockers.js'
import { readLogins } from '../host/identity/logins.js'
import { Prober } from '../activities/accounts/probe.js'
import { Sampler } from '../activities/watch/sampler.js'
import { serviceActivities } from '../activities/services/index.js'
import { taskActivities } from '../activities/tasks/index.js'
import type { Config } from '../config/config.js'
import { configuredEngine } from '../config/load/temporalSettings.js'
import { giveSignsOfLife } from '../config/engine/signsOfLife.js'
import { sealedClientOptions } from '../config/seal/client.js'
import { ensureSealKeys } from '../config/seal/keys.js'
import { LiveSealKeys } from '../config/seal/liveKeys.js'
import type { Home } from '../config/state/home.js'
import { readLive } from '../config/state/liveFile.js'
import { poolWorkflowId, sessionWorkflowId } from '../policy/ids.js'
import { poolQueries, poolUpdates, sessionQueries, sessionSignals } from '../workflows/messages.js'
import { configureEngine, configureSessions } from './configureEngine.js'
import type { ConnectOptions } from './engine/index.js'
import { settlesWithin } from './settlesWithin.js'
import { retryTransient } from './engine/retryTransient.js'
import { FleetAnswers } from './localSocket/fleetAnswers.js'
import { LocalSocket } from './localSocket/localSocket.js'
import { HostReporter } from './hostReport/hostReporter.js'
import { engineAhead } from '../config/engine/pollers.js'
import { workerIdentity } from './connection/identity.js'
import { maintainConnection } from './connection/reconnect.js'
import type { EngineSockets } from './connection/engineSockets.js'
import { WatchedConnection } from './connection/connectionWatch.js'
import { makePollers, type ReadyPollers } from './connection/pollers.js'
import { sealedDataConverter } from './connection/workflowCode.js'
import { assertFleetKey, endForeign } from './connection/fleetKeys.js'
import { PendingResults } from './connection/pendingResults.js'
import { configureWatchdogs } from './watchdogs.js'
import { reassignActivities } from './connection/reassignActivities.js'
import type { Metrics } from './metrics/metrics.js'
import { RehearsalWatch } from './rehearsals/watch.js'
import { Restoration } from './restoration/restoration.js'
import { WorkerEvents } from './workerEvents.js'
import { workflowState } from './workflowState.js'

export interface RunningWorker {
  /** Settles when the worker has stopped; rejects if it broke. */
  done: Promise<void>
  /** Whether it makes progress: polls its host and executes workflows. An unreachable engine does not count against it. */
  isProgressing(): Promise<boolean>
  /** The sessions on each account, as the pool knows them. */
  leases(): Promise<ReadonlyMap<string, readonly string[]>>
  /** Takes over another configuration of the same pool. Idempotent; throws if the engine does not answer. */
  reconfigure(config: Config, how: { timingChanged: boolean }): Promise<void>
  /** Stops polling, ends the watches, and leaves every pane running. `why`: for the event that says so. */
  stop(why?: string): Promise<void>
}

/** The messages by which task activities reach sessions. */
const sessionMessageNames = { send: sessionSignals.send, backlog: sessionQueries.backlog }

export async function startWorker(input: {
  home: Home
  config: Config
  connectOptions: ConnectOptions
  namespace: string
  /** Absent: no connection is ended for its silence. */
  engineSockets?: EngineSockets
  /** Null or absent: metrics are off. */
  metrics?: Metrics | null
  /** Default: as the build has bundled them. */
  workflowBundle?: WorkflowBundleOption
}): Promise<RunningWorker> {
  const { home, config, connectOptions, namespace, workflowBundle } = input
  const host = new Host(home, config)
  const workerEvents = new WorkerEvents(host.events, connectOptions.address)
  await noteLogins(host)
  const sampler = new Sampler(host)
  const prober = new Prober(host)
  const native = await retryTransient(() => NativeConnection.connect(connectOptions))
  const connection = await retryTransient(() => WatchedConnection.connect(connectOptions))
  ensureSealKeys(home)
  const keys = new LiveSealKeys(home)
  const dataConverter = sealedDataConverter(keys, namespace)
  const client = new Client({
    ...{ connection, namespace },
    ...{ ...sealedClientOptions(keys, namespace), dataConverter },
  })
  await retryTransient(() => assertFleetKey({ connection, namespace }, home, keys, config.pool.name))
  const endIfForeign = (workflowId: string) => endForeign({ connection, namespace }, keys, workflowId)
  const cleanup = new CleanupLoop(host, (session) => workflowState(client, session))
  const leaseBatcher = createLeaseBatcher(client, host)
  // Before the sampler writes that this worker is alive.
  const isEmbedded = configuredEngine() === null
  const engine = { connection, namespace }
  const restoration = new Restoration(host, sampler, { client, engine, keys, isEmbedded })
  const rehearsals = new RehearsalWatch(host)
  const blockers = new BlockerWatch(host, {
    poolChanged: () => leaseBatcher.sendReadings(),
    sessionUnblocked: (name) =>
      client.workflow.getHandle(sessionWorkflowId(name)).signal(sessionSignals.hostReady),
  })
  const pendingResults = new PendingResults(({ info }) =>
    host.clock.noteScheduledAt(info.currentAttemptScheduledTimestampMs),
  )
  const answers = new FleetAnswers(host, client)
  const commandSocket = new LocalSocket(host, answers)
  const { hostId } = home
  const pollersFor = (of: NativeConnection, identity: string): Promise<ReadyPollers> =>
    makePollers({
      ...{ native: of, namespace, hostId, identity, dataConverter, interceptor: pendingResults.interceptor },
      ...(workflowBundle === undefined ? {} : { workflowBundle }),
      hostActivities: {
        ...hostActivities(host, sampler, prober, leaseBatcher),
        ...adoptionActivities(host, sampler),
        ...serviceActivities(host, sampler),
        ...taskActivities(host, client, sessionMessageNames),
        ...drillActivities(host, client, sessionQueries.describe),
      },
      commonActivities: commonActivities(client),
      sinks: answers.sinks,
    })
  const ready = await pollersFor(native, workerIdentity(hostId))
  await retryTransient(() => measureClock(host, connection, namespace))
  input.metrics?.watch({ host, sampler, client })
  const hasDied = workerEvents.begun(config)
  const lastSeen = readLive(home)?.at ?? null
  reviewAccounts(host)
  for (const agent of Object.keys(config.agents)) await host.features.review(agent)
  sampler.start()
  prober.start()
  cleanup.start()
  blockers.start()
  rehearsals.start()
  await configureEngine(client, home, config, endIfForeign)
  const pollers = ready.run()
  const { done } = pollers
  const reporter = new HostReporter(client, host)
  reporter.start(hasDied ? lastSeen : null)
  const presenceStopped = new AbortController()
  const presenceLoop = giveSignsOfLife(connection, namespace, workerIdentity(hostId), presenceStopped.signal)
  const reassigning = reassignActivities(client, hostId, pendingResults).catch((error: unknown) =>
    log.warn(
      { err: error },
      'activities of the last worker are reassigned only after their heartbeat timeout',
    ),
  )
  const connectionWatch = maintainConnection({
    ...{ client, connection, connectOptions, namespace, hostId, results: pendingResults },
    onUnanswered: () => input.engineSockets?.endAll(),
    makePollers: async (of, identity) => (await pollersFor(of, identity)).run(),
    measureClock: () => measureClock(host, connection, namespace),
    onEngine: (change) => {
      workerEvents.engine(change)
      answers.noteEngine(change)
    },
  })
  restoration.start()
  await commandSocket.open()
  try {
    await Promise.race([retryTransient(() => configureWatchdogs(client, home, config, endIfForeign)), done])
  } catch (error) {
    presenceStopped.abort()
    await commandSocket.close()
    await connectionWatch.stop()
    await restoration.stop()
    pollers.shutDown()
    await Promise.all([done.catch(() => undefined), presenceLoop, reporter.stop()])
    throw error
  }
  return {
    done,
    isProgressing: async () =>
      pollers.isRunning() &&
      sampler.sampleAge <= sampleTimeout &&
      (await executesWorkflows(connection, client, config)),
    leases: async () => {
      const { accounts } = await client.workflow
        .getHandle(poolWorkflowId(config.pool.name))
        .query(poolQueries.describe)
      return new Map(accounts.map(({ name, leases }) => [name, leases]))
    },
    reconfigure: async (next, { timingChanged }) => {
      host.reconfigure(next)
      await noteLogins(host)
      reviewAccounts(host)
      await configureEngine(client, home, next, endIfForeign)
      await retryTransient(() => configureWatchdogs(client, home, next, endIfForeign))
      if (timingChanged) await retryTransient(() => configureSessions(client, home, next))
      input.metrics?.configured(next)
      workerEvents.configured(next)
    },
    stop: async (why = 'it was asked to') => {
      const stopping = (async () => {
        presenceStopped.abort()
        await commandSocket.close()
        const watchStopped = connectionWatch.stop()
        pollers.shutDown()
        await done.catch(() => undefined)
        await watchStopped
        await restoration.stop()
        await Promise.all([reassigning, presenceLoop, reporter.stop()])
        await prober.stop()
        await cleanup.stop()
        await blockers.stop()
        await rehearsals.stop()
        await sampler.stop()
        host.accountEvents.stop()
        host.tmux.close()
      })()
      const hasStopped = await settlesWithin(stopping, stopTimeout)
      // Last in the record of this worker, and in any case: the next one would report that this one died.
      workerEvents.stopped(why)
      if (!hasStopped) {
        log.warn('not everything has stopped in time; it ends with this process')
        return
      }
      await answers.settled()
      await connection.close()
      await native.close()
    },
  }
}

/**
 * An engine that does not answer, or an activity that hangs on a disk, must not keep the worker from stopping. A service manager
 * waits for 30 s, of which the engine needs some. Milliseconds.
 */
const stopTimeout = 20_000

async function measureClock(host: Host, connection: Connection, namespace: string): Promise<void> {
  host.clock.setAhead(await engineAhead(connection, namespace))
}

/** The pool answers in milliseconds, on a busy machine in seconds. After this, each session asks by itself. */
const leaseAnswersWithin = 5_000

function createLeaseBatcher(client: Client, host: Host): LeaseBatcher {
  const { name } = host.config.pool
  const requestLeases: RequestLeases = (batch) =>
    client.withDeadline(Date.now() + leaseAnswersWithin, () =>
      client.workflow
        .getHandle(poolWorkflowId(name))
        .executeUpdate(poolUpdates.requestLeases, { args: [batch] }),
    )
  return new LeaseBatcher(name, requestLeases, () => host.engineReadings())
}

/** One sample of the host takes well under a second, even with a thousand sessions. */
const sampleTimeout = 60_000
/** On a busy machine an answer takes seconds; after this it counts as missing. */
const answerTimeout = 20_000

/** A query to the pool passes through engine, polling, replay and answer, and leaves nothing in any history. */
async function executesWorkflows(connection: Connection, client: Client, { pool }: Config): Promise<boolean> {
  const handle = client.workflow.getHandle(poolWorkflowId(pool.name))
  try {
    await connection.withDeadline(Date.now() + answerTimeout, () => handle.query(poolQueries.describe))
    return true
  } catch {
    return !(await engineAnswers(connection))
  }
}

async function engineAnswers(connection: Connection): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + answerTimeout, () =>
      connection.workflowService.getSystemInfo({}),
    )
    return true
  } catch {
    return false
  }
}

async function noteLogins(host: Host): Promise<void> {
  for (const unread of await readLogins(host)) log.warn(`could not be read: ${unread}`)
}

/** Records which conditions of accounts have begun or ended: by a new configuration, or while no worker ran. */
function reviewAccounts({ config, accountEvents }: Host): void {
  const { pool, reserved, substrates, reservedSubstrates } = config
  for (const { name } of [...pool.accounts, ...reserved, ...substrates, ...reservedSubstrates])
    accountEvents.review(name)
}
