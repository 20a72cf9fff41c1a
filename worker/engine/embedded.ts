/** Starts, adopts and ends one embedded server; supervise.ts keeps it alive. */
import { spawn, type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endProcess, isAlive, processStart, type ProcessRef } from '../../host/process/processes.js'
import type { Home } from '../../config/state/home.js'
import type { EngineEndpoint } from '../../config/state/liveFile.js'
import { EngineStartError } from '../errors.js'
import { answers } from './connect.js'
import { diagnose } from './diagnose.js'
import type { Say } from './install.js'
import { freePorts, isListener, someoneAnswers, usualPorts, type Ports } from './ports.js'
import { logSince, trimLog } from './serverLog.js'
import { serverArguments, serversOf } from './servers.js'
import { messageOf } from '../../policy/errorFacts.js'

export const embeddedNamespace = 'default'

export interface EmbeddedServer {
  process: ProcessRef
  ports: Ports
  endpoint: EngineEndpoint
}

export interface StartOptions {
  home: Home
  /** Path of the `temporal` to run. */
  program: string
  say: Say
  /** The ports that it must use; by default the usual ones, or the next free ones. */
  ports?: Ports
  /** Where the search for free ports begins. Default: the usual port, and no Web UI. */
  firstPorts?: Ports
  /** Milliseconds until the server must answer. */
  startWithin?: number
  /** When it aborts, the start is given up and the process ended. */
  signal?: AbortSignal
}

/** A server starts within one second, and later on a machine that is busy or was just suspended. */
const usualStart = 60_000

/** After TERM the server needs up to about ten seconds to write its data, even under load. */
const stopGrace = 20_000

export const serverLogFile = (home: Home): string => join(home.logs, 'temporal.log')

/** Starts a server and waits until it answers. Throws EngineStartError with the kind of failure. */
export async function startEmbedded(options: StartOptions): Promise<EmbeddedServer> {
  // Another program may take a free port before the server does; then the next ones are tried.
  for (let tries = 1; ; tries++) {
    const ports = options.ports ?? (await freePorts(options.firstPorts ?? { ...usualPorts, ui: null }))
    try {
      return await startOn(ports, options)
    } catch (error) {
      const again = error instanceof EngineStartError && error.failure === 'port-taken'
      if (!again || options.ports !== undefined || tries === 5) throw error
    }
  }
}

async function startOn(ports: Ports, options: StartOptions): Promise<EmbeddedServer> {
  const { home, program, startWithin = usualStart, signal } = options
  const logFile = serverLogFile(home)
  let logStart = 0
  const failed = (ending: string, output = logSince(logFile, logStart)): EngineStartError =>
    diagnose({ program, database: home.database, ports, logFile, output, ending })

  let child: ChildProcess
  try {
    trimLog(logFile)
    putAsideUnfinished(home)
    const log = openSync(logFile, 'a', 0o600)
    logStart = fstatSync(log).size
    child = spawn(program, serverArguments(home.database, ports), {
      cwd: home.dir,
      env: serverEnvironment(process.env),
      stdio: ['ignore', log, log],
      // In its own process group, so that Ctrl-C in the terminal reaches the worker and not the server.
      detached: true,
    })
    closeSync(log)
  } catch (error) {
    throw failed(messageOf(error), `Error: ${messageOf(error)}`)
  }
  child.unref()
  const over: { how?: string } = {}
  child.once('error', (error) => (over.how ??= messageOf(error)))
  child.once('exit', (code, by) => (over.how ??= by === null ? `exit code ${code ?? '?'}` : `ended by ${by}`))

  const since = performance.now()
  const giveUp = async (error: Error): Promise<Error> => {
    const start = child.pid === undefined ? null : await processStart(child.pid)
    if (child.pid !== undefined && start !== null) await endProcess({ pid: child.pid, start }, stopGrace)
    return error
  }
  for (;;) {
    await delay(50)
    if (over.how !== undefined) throw failed(over.how)
    if (signal?.aborted === true)
      throw await giveUp(new EngineStartError('unknown', 'The engine was told to stop.', ''))
    const waited = performance.now() - since
    // The answer may come from another program that took the port, in which case our server is about to end.
    if (
      child.pid !== undefined &&
      waited >= settled &&
      isListener(child.pid, ports.grpc) &&
      (await isUp(ports))
    ) {
      const start = await processStart(child.pid)
      if (start !== null) return ready(home, { pid: child.pid, start }, ports)
    }
    if (waited > startWithin)
      throw await giveUp(
        new EngineStartError(
          'timeout',
          `The engine did not answer within ${startWithin / 1000} s of its start.`,
          `The machine may be too busy; see the engine's log: ${logFile}.`,
        ),
      )
  }
}

/** For systems that can't tell which process listens: a server without its ports ends within some tens of milliseconds. */
const settled = 400

const isUp = async ({ grpc }: Ports): Promise<boolean> =>
  (await someoneAnswers(grpc)) && answers({ address: `127.0.0.1:${grpc}` }, embeddedNamespace, 5_000)

/** The server creates its files by the umask. SQLite gives those that it creates later the mode of the database. */
function closeToOthers({ database }: Home): void {
  for (const file of [database, `${database}-wal`, `${database}-shm`])
    if (existsSync(file)) chmodSync(file, 0o600)
}

function ready(home: Home, server: ProcessRef, ports: Ports): EmbeddedServer {
  closeToOthers(home)
  rmSync(unfinishedMark(home), { force: true })
  const endpoint: EngineEndpoint = {
    address: `127.0.0.1:${ports.grpc}`,
    namespace: embeddedNamespace,
    uiUrl: ports.ui === null ? null : `http://127.0.0.1:${ports.ui}`,
    pid: server.pid,
  }
  return { process: server, ports, endpoint }
}

/** How long a server that is still starting or busy has to answer before it counts as broken. Milliseconds. */
const adoptWithin = 10_000

/**
 * The server of this home that outlived its `up`, if it is healthy. One that is not, and any second one, is ended: two
 * servers would corrupt one database. A process is ours only if its own command line names our database.
 * Throws EngineStartError if one survives KILL.
 */
export async function adoptEmbedded(home: Home, say: Say): Promise<EmbeddedServer | null> {
  const running = await serversOf(home.database)
  const [only] = running
  if (only !== undefined && running.length === 1) {
    const until = performance.now() + adoptWithin
    do {
      if (await isUp(only.ports)) return ready(home, only.process, only.ports)
      await delay(200)
    } while (performance.now() < until && (await isAlive(only.process)))
  }
  for (const server of running) {
    say(`Replacing an engine of this home that does not answer (process ${server.process.pid}).`)
    await endEmbedded(server.process)
  }
  return null
}

/** Ends a server: TERM, time to write its data, KILL. Throws EngineStartError if it survives that. */
export async function endEmbedded(server: ProcessRef): Promise<void> {
  if ((await endProcess(server, stopGrace)) !== false) return
  throw new EngineStartError(
    'unknown',
    `The engine's process ${server.pid} is still running after KILL.`,
    'It hangs in the operating system, most likely on a disk that does not respond. Repair that, then try again.',
  )
}

const unfinishedMark = (home: Home): string => `${home.database}.unfinished-mark`

/**
 * A server creates its tables only if there is no file at all. One that ended before it had done so leaves a file that
 * no later one can use. It never was ready, or it is empty, so nothing of the user's is in it; it is moved away, and
 * the server creates a new one.
 */
function putAsideUnfinished(home: Home): void {
  const file = statSync(home.database, { throwIfNoEntry: false })
  const isEmpty = file?.size === 0 && !existsSync(`${home.database}-wal`)
  if (file !== undefined && (isEmpty || existsSync(unfinishedMark(home))))
    for (const part of ['', '-wal', '-shm'])
      if (existsSync(home.database + part))
        renameSync(home.database + part, `${home.database}.unfinished${part}`)
  if (!existsSync(home.database)) writeFileSync(unfinishedMark(home), '')
}

/** The server needs little of our environment, and a process list shows what it has: secrets stay out of it. */
function serverEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR']
  return { ...Object.fromEntries(kept.map((name) => [name, env[name]])), TZ: 'UTC' }
}
