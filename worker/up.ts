/** `outpool up` and `outpool worker`: from nothing to a fleet that is watched, and back in order. */
import { Runtime, DefaultLogger } from '@temporalio/worker'
import type { Config } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import { readEngine } from '../config/state/liveFile.js'
import { untilAlone } from './connection/soleWorker.js'
import { assertApart } from './assertIndependent.js'
import { checkTmux } from './doctor/programs.js'
import { namedEngine, reach, type ConnectOptions } from './engine/connect.js'
import { openEngine, reachWithin } from './engine/index.js'
import { assertSetUp } from './engine/setup.js'
import { EngineUnreachableError, MissingProgramError } from './errors.js'
import { lockHome } from './lock.js'
import { ServiceManager } from './serviceManager.js'
import { startWorker } from './worker.js'

interface Reached {
  connectOptions: ConnectOptions
  namespace: string
  uiUrl: string | null
  address: string
  stop(): Promise<void>
}

/** Runs until it is told to stop by INT or TERM, or until the worker breaks. */
export async function up({
  home,
  config,
  ownEngine,
}: {
  home: Home
  config: Config
  ownEngine: boolean
}): Promise<void> {
  // First, since its command may be killed at any instant.
  const told = untilTold()
  const lock = await lockHome(home, { parent: commandAbove(), say })
  const manager = ServiceManager.take(process.env, say)
  try {
    await assertTmux()
    await assertApart(config)
    const engine = ownEngine ? await open(home, config) : await reachExisting(home)
    try {
      await serve(home, config, engine, told, manager)
    } finally {
      if (ownEngine) say('stopping the engine')
      await engine.stop()
    }
    say('stopped; every pane was left as it is. `outpool up` watches them again.')
  } finally {
    lock.release()
  }
}

/** Throws MissingProgramError. Without it every session would fail, and each for a reason that is not its own. */
async function assertTmux(): Promise<void> {
  const { state, found, remedy } = await checkTmux(process.env)
  if (state === 'fail') throw new MissingProgramError(found, remedy ?? '')
}

async function serve(
  home: Home,
  config: Config,
  engine: Reached,
  told: Promise<string>,
  manager: ServiceManager | null,
): Promise<void> {
  // The engine's library logs each reconnect; what a person needs to know is said here.
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const { connectOptions, namespace } = engine
  const waiting = new AbortController()
  void told.then(() => waiting.abort())
  if (!(await untilAlone({ home, connectOptions, namespace, say, signal: waiting.signal }))) return
  const worker = await startWorker({ home, config, connectOptions, namespace })
  const accounts = config.pool.accounts.map(({ name }) => name).join(', ')
  say(`watching the sessions of this host with ${accounts}`)
  say(`engine at ${engine.address}${engine.uiUrl === null ? '' : `, Web UI at ${engine.uiUrl}`}`)
  say('ready. Stop with Ctrl-C; panes live on.')
  await manager?.ready()
  const over = new AbortController()
  const beating = manager?.beatWhile(() => worker.isProgressing(), over.signal)
  const why = await Promise.race([told, worker.done.then(() => 'the worker ended')])
  over.abort()
  await manager?.stopping()
  say(`${why}: letting go of the sessions`)
  await worker.stop()
  await beating
}

async function open(home: Home, { keep }: Config): Promise<Reached> {
  const engine = await openEngine({ home, env: process.env, keep, say })
  const { connectOptions, endpoint } = engine
  return { ...endpoint, connectOptions, stop: () => engine.stop() }
}

/** Throws EngineUnreachableError and EngineSetupError. */
async function reachExisting(home: Home): Promise<Reached> {
  const engine = existing(home)
  const connection = await reach(engine.connectOptions, reachWithin)
  try {
    await assertSetUp(connection, engine.namespace)
  } finally {
    await connection.close()
  }
  return engine
}

function existing(home: Home): Reached {
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

/** The command that started us and ends with us; null where there is none, 0 where it is gone already. */
const commandAbove = (): number | null =>
  process.channel === undefined ? null : process.connected ? process.ppid : 0

/** Settles with what told: a person at the terminal, a signal, or the end of the command that started us. */
function untilTold(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve(signal === 'SIGINT' ? 'Ctrl-C' : signal))
    }
    const orphaned = (): void => resolve('the command above us was killed')
    process.on('disconnect', orphaned)
    if (commandAbove() === 0) orphaned()
  })
}

function say(line: string): void {
  console.error(`outpool: ${line}`)
}
