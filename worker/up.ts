/** `outpool up` and `outpool worker`: start engine and worker, and stop them in order. */
import { setTimeout as delay } from 'node:timers/promises'
import { DefaultLogger, makeTelemetryFilterString, Runtime, type TelemetryOptions } from '@temporalio/worker'
import type { Config } from '../config/config.js'
import { programEnvironment } from '../config/environment.js'
import type { Home } from '../config/state/home.js'
import { isOutOfFiles, outOfFiles } from '../config/errors.js'
import { readEngine } from '../config/state/liveFile.js'
import { EngineSockets } from './connection/engineSockets.js'
import { untilSoleWorker } from './connection/soleWorker.js'
import { assertIndependent } from '../host/identity/failureDomains.js'
import { agentVersion } from '../host/process/agentVersions.js'
import { endReplacedWorker } from './down.js'
import { checkTmux } from './doctor/programs.js'
import { checkRehearsal } from './doctor/rehearsals.js'
import { namedEngine, reach, type ConnectOptions } from './engine/connect.js'
import { openEngine, reachWithin } from './engine/index.js'
import { assertSetUp } from './engine/setup.js'
import { EngineUnreachableError, MissingProgramError } from './errors.js'
import { log } from '../host/log.js'
import { lockHome } from './lock.js'
import { ConfigReload } from './reload/reload.js'
import { SystemdNotifier } from './systemdNotifier.js'
import type { Metrics } from './metrics/metrics.js'
import { parentCommand, StopRequest, StoppedEarlyError } from './stopRequest.js'
import { settlesWithin } from './settlesWithin.js'
import { startWorker } from './worker.js'

interface EngineConnection {
  connectOptions: ConnectOptions
  namespace: string
  uiUrl: string | null
  address: string
  stop(): Promise<void>
}

/** An engine that is being started when a stop is requested has this long to end. Milliseconds. */
const undoTimeout = 10_000

/** A change of the configuration that waits for an engine must not keep the worker from stopping. Milliseconds. */
const reloadStopTimeout = 5_000

export interface UpOptions {
  home: Home
  config: Config
  /** Whether the file is used only with the content that a person trusts. */
  byContent: boolean
  ownEngine: boolean
  /** Whether an embedded engine serves Temporal's Web UI. */
  ui: boolean
  /** Whether one of the same version that runs already is replaced; an older one always is. */
  replace: boolean
}

/** Runs until a signal, the end of its command, or a failure of the worker stops it. */
export async function up(options: UpOptions): Promise<void> {
  // First, since the command may be killed at any instant.
  const stop = new StopRequest()
  surviveRefusedStarts()
  try {
    await run(options, stop)
  } catch (error) {
    if (!(error instanceof StoppedEarlyError)) throw error
    say(error.message)
  }
}

async function run(
  { home, config, byContent, ownEngine, ui, replace }: UpOptions,
  stop: StopRequest,
): Promise<void> {
  const notifier = SystemdNotifier.fromEnv(process.env, say)
  // A worker alone ends no `up`: that would end the engine that it needs.
  if (ownEngine) await stop.before(endReplacedWorker(home, replace, say))
  const lock = await stop.before(
    lockHome(home, { parent: parentCommand(), isService: notifier !== null, say }),
  )
  try {
    await stop.before(assertTmux())
    await stop.before(assertIndependent(config))
    const engine = await beforeStop(
      stop,
      ownEngine ? openOwnEngine(home, config, ui, stop.signal) : reachExisting(home),
    )
    try {
      await serve(home, { config, byContent }, engine, stop, notifier)
    } finally {
      if (ownEngine) say('stopping the engine')
      await engine.stop()
    }
    say('stopped; every pane keeps running. `outpool up` watches them again.')
  } finally {
    lock.release()
  }
}

/**
 * If no further file can be opened, a program that was to be started fails with an event for which neither Node nor a library has a
 * listener yet. Whatever started it tries again; the worker must not end for it.
 */
function surviveRefusedStarts(): void {
  process.on('uncaughtException', (error) => {
    const isStart = 'syscall' in error && String(error.syscall).startsWith('spawn')
    if (isOutOfFiles(error) && isStart) {
      log.error({ err: error }, outOfFiles.problem)
      return
    }
    log.error({ err: error }, 'the worker ends, since nothing has handled this error')
    process.exit(1)
  })
}

/** As `stop.before`. An engine that is up all the same is ended. */
async function beforeStop(stop: StopRequest, opening: Promise<EngineConnection>): Promise<EngineConnection> {
  try {
    return await stop.before(opening)
  } catch (error) {
    if (error instanceof StoppedEarlyError) {
      const opened = await Promise.race([opening.catch(() => null), delay(undoTimeout, null)])
      await opened?.stop()
    }
    throw error
  }
}

/** Throws MissingProgramError. Without tmux every session would fail, with a misleading reason. */
async function assertTmux(): Promise<void> {
  const { state, found, remedy } = await checkTmux(process.env)
  if (state === 'fail') throw new MissingProgramError(found, remedy ?? '')
}

async function serve(
  home: Home,
  { config, byContent }: { config: Config; byContent: boolean },
  engine: EngineConnection,
  stop: StopRequest,
  notifier: SystemdNotifier | null,
): Promise<void> {
  const metrics = await metricsOf(home, config)
  Runtime.install({
    logger: engineLogger(),
    telemetryOptions: { ...metrics?.telemetry, logging: engineLogging() },
  })
  const { connectOptions, namespace } = engine
  const engineSockets = new EngineSockets(connectOptions.address)
  if (!(await untilSoleWorker({ home, connectOptions, namespace, say, signal: stop.signal }))) return
  const worker = await stop.before(
    startWorker({ home, config, connectOptions, namespace, engineSockets, metrics }),
  )
  const reload = new ConfigReload(home, { config, byContent }, worker)
  const accounts = config.pool.accounts.map(({ name }) => name).join(', ')
  say(`watching the sessions of this host with ${accounts}`)
  say(`engine at ${engine.address}${engine.uiUrl === null ? '' : `, Web UI at ${engine.uiUrl}`}`)
  say(
    `configuration: ${config.file}; a change is taken over without a restart${byContent ? ', once you trust it' : ''}`,
  )
  say('ready. Stop with Ctrl-C; panes keep running.')
  void sayRehearsals(home, config)
  await notifier?.ready()
  const stopped = new AbortController()
  const notifying = notifier?.notifyWhile(() => worker.isProgressing(), stopped.signal)
  reload.start()
  const reason = await Promise.race([stop.requested, worker.done.then(() => 'the worker ended')])
  stopped.abort()
  await notifier?.stopping()
  say(`${reason}: ending the watches`)
  if (!(await settlesWithin(reload.stop(), reloadStopTimeout)))
    log.warn('a change of the configuration was still being taken over; the next worker takes it over')
  await worker.stop(reason)
  await metrics?.stop()
  await notifying
}

/** Null if they are off: then nothing of them is loaded. */
async function metricsOf({ hostId }: Home, { metrics }: Config): Promise<Metrics | null> {
  if (metrics === null) return null
  const { openMetrics } = await import('./metrics/metrics.js')
  return openMetrics(metrics, hostId)
}

/** Names each agent program whose version was never rehearsed here, or fell short. That it can't be run is said when it is launched. */
async function sayRehearsals(home: Home, config: Config): Promise<void> {
  for (const [name, agent] of Object.entries(config.agents)) {
    const version = await agentVersion(name, agent, programEnvironment(config)).catch(() => null)
    const finding = version === null ? null : checkRehearsal(home, name, version)
    if (finding !== null && finding.state !== 'ok')
      log.warn(`${name} ${finding.found}. ${finding.remedy ?? ''}`)
  }
}

async function openOwnEngine(
  home: Home,
  { keep }: Config,
  ui: boolean,
  signal: AbortSignal,
): Promise<EngineConnection> {
  const engine = await openEngine({ home, env: process.env, keep, ui, say, signal })
  const { connectOptions, endpoint } = engine
  return { ...endpoint, connectOptions, stop: () => engine.stop() }
}

/** Throws EngineUnreachableError and EngineSetupError. */
async function reachExisting(home: Home): Promise<EngineConnection> {
  const engine = findRunningEngine(home)
  const connection = await reach(engine.connectOptions, reachWithin)
  try {
    await assertSetUp(connection, engine.namespace)
  } finally {
    await connection.close()
  }
  return engine
}

function findRunningEngine(home: Home): EngineConnection {
  const named = namedEngine(process.env)
  if (named) {
    const { options, namespace } = named
    return {
      connectOptions: options,
      namespace,
      uiUrl: null,
      address: options.address,
      stop: () => Promise.resolve(),
    }
  }
  const running = readEngine(home)
  if (!running) {
    throw new EngineUnreachableError(
      `no engine is known for ${home.dir}`,
      'Start it with `outpool up`, or name one in your Temporal settings (TEMPORAL_ADDRESS or a profile).',
    )
  }
  return { ...running, connectOptions: { address: running.address }, stop: () => Promise.resolve() }
}

/** The engine's library warns at each reconnect: what a person needs to know of it is an event. */
function engineLogger(): DefaultLogger {
  return new DefaultLogger(log.isLevelEnabled('debug') ? 'DEBUG' : 'ERROR', ({ level, message, meta }) => {
    log[level === 'ERROR' ? 'error' : 'debug']({ engine: meta }, `temporal: ${message}`)
  })
}

/** Otherwise the library prints lines of its own, in colours, for each call that an engine does not answer: dozens a second. */
const engineLogging = (): NonNullable<TelemetryOptions['logging']> => ({
  forward: {},
  filter: makeTelemetryFilterString({ core: log.isLevelEnabled('debug') ? 'INFO' : 'ERROR', other: 'ERROR' }),
})

function say(line: string): void {
  log.info(line)
}
