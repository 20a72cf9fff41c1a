/** `outpool up` and `outpool worker`: start engine and worker, and stop them in order. */
import { Runtime, DefaultLogger } from '@temporalio/worker'
import type { Config } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import { readEngine } from '../config/state/liveFile.js'
import { untilSoleWorker } from './connection/soleWorker.js'
import { assertIndependent } from '../host/identity/failureDomains.js'
import { agentVersion, checkTmux } from './doctor/programs.js'
import { checkRehearsal } from './doctor/rehearsals.js'
import { namedEngine, reach, type ConnectOptions } from './engine/connect.js'
import { openEngine, reachWithin } from './engine/index.js'
import { assertSetUp } from './engine/setup.js'
import { EngineUnreachableError, MissingProgramError } from './errors.js'
import { lockHome } from './lock.js'
import { ConfigReload } from './reload/reload.js'
import { ServiceManager } from './serviceManager.js'
import { startWorker } from './worker.js'

interface EngineConnection {
  connectOptions: ConnectOptions
  namespace: string
  uiUrl: string | null
  address: string
  stop(): Promise<void>
}

/** Runs until a signal, the end of its command, or a failure of the worker stops it. */
export async function up({
  home,
  config,
  ownEngine,
}: {
  home: Home
  config: Config
  ownEngine: boolean
}): Promise<void> {
  // First, since the command may be killed at any instant.
  const stopRequested = untilStopRequested()
  const lock = await lockHome(home, { parent: parentCommand(), say })
  const manager = ServiceManager.fromEnv(process.env, say)
  try {
    await assertTmux()
    await assertIndependent(config)
    const engine = ownEngine ? await openOwnEngine(home, config) : await reachExisting(home)
    try {
      await serve(home, config, engine, stopRequested, manager)
    } finally {
      if (ownEngine) say('stopping the engine')
      await engine.stop()
    }
    say('stopped; every pane keeps running. `outpool up` watches them again.')
  } finally {
    lock.release()
  }
}

/** Throws MissingProgramError. Without tmux every session would fail, with a misleading reason. */
async function assertTmux(): Promise<void> {
  const { state, found, remedy } = await checkTmux(process.env)
  if (state === 'fail') throw new MissingProgramError(found, remedy ?? '')
}

async function serve(
  home: Home,
  config: Config,
  engine: EngineConnection,
  stopRequested: Promise<string>,
  manager: ServiceManager | null,
): Promise<void> {
  // The engine's library logs each reconnect; what a person needs to know is printed here.
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const { connectOptions, namespace } = engine
  const waiting = new AbortController()
  void stopRequested.then(() => waiting.abort())
  if (!(await untilSoleWorker({ home, connectOptions, namespace, say, signal: waiting.signal }))) return
  const worker = await startWorker({ home, config, connectOptions, namespace })
  const reload = new ConfigReload(home, config, worker, say)
  const accounts = config.pool.accounts.map(({ name }) => name).join(', ')
  say(`watching the sessions of this host with ${accounts}`)
  say(`engine at ${engine.address}${engine.uiUrl === null ? '' : `, Web UI at ${engine.uiUrl}`}`)
  say(`configuration: ${config.file}; a change is taken over without a restart`)
  say('ready. Stop with Ctrl-C; panes keep running.')
  void sayRehearsals(home, config)
  await manager?.ready()
  const stopped = new AbortController()
  const notifying = manager?.notifyWhile(() => worker.isProgressing(), stopped.signal)
  reload.start()
  const reason = await Promise.race([stopRequested, worker.done.then(() => 'the worker ended')])
  stopped.abort()
  await manager?.stopping()
  say(`${reason}: ending the watches`)
  await reload.stop()
  await worker.stop()
  await notifying
}

/** Names each agent program whose version was never rehearsed here, or fell short. That it can't be run is said when it is launched. */
async function sayRehearsals(home: Home, { agents }: Config): Promise<void> {
  for (const [name, agent] of Object.entries(agents)) {
    const version = await agentVersion(name, agent).catch(() => null)
    const finding = version === null ? null : checkRehearsal(home, name, version)
    if (finding !== null && finding.state !== 'ok') say(`${name} ${finding.found}. ${finding.remedy ?? ''}`)
  }
}

async function openOwnEngine(home: Home, { keep }: Config): Promise<EngineConnection> {
  const engine = await openEngine({ home, env: process.env, keep, say })
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

/** Process id of the command that started us and ends with us; null if there is none, 0 if it has already ended. */
const parentCommand = (): number | null =>
  process.channel === undefined ? null : process.connected ? process.ppid : 0

/** Resolves with the reason to stop: Ctrl-C, another signal, or the end of the command that started us. */
function untilStopRequested(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve(signal === 'SIGINT' ? 'Ctrl-C' : signal))
    }
    const orphaned = (): void => resolve('the command that started this worker was killed')
    process.on('disconnect', orphaned)
    if (parentCommand() === 0) orphaned()
  })
}

function say(line: string): void {
  console.error(`outpool: ${line}`)
}
