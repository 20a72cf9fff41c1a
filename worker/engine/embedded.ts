/** One embedded server: started, adopted, ended. Keeping it alive is supervise.ts. */
import { spawn, type ChildProcess } from 'node:child_process'
import {
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
import { messageOf, type Say } from './install.js'
import { freePorts, isListener, someoneAnswers, usualPorts, type Ports } from './ports.js'
import { logSince, trimLog } from './serverLog.js'
import { serverArguments, serversOf } from './servers.js'

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
  /** Ports to take at any price; without them the usual ones, or the next free ones. */
  ports?: Ports
  /** Where the search for free ports begins. */
  firstPorts?: Ports
  /** Milliseconds until the server must answer. */
  startWithin?: number
  /** Gives up and ends what was started. */
  signal?: AbortSignal
}

/** A server at rest is there after one second; a machine that is busy or just woke up takes longer. */
const usualStart = 60_000

/** The server writes out what it holds within about ten seconds of TERM, also under load. */
const stopGrace = 20_000

export const serverLogFile = (home: Home): string => join(home.logs, 'temporal.log')

/** Starts a server and waits until it answers. Throws EngineStartError, one for each fault that can be told apart. */
export async function startEmbedded(options: StartOptions): Promise<EmbeddedServer> {
  // Between looking for free ports and taking them another program may be faster: then the next ones are tried.
  for (let tries = 1; ; tries++) {
    const ports = options.ports ?? (await freePorts(options.firstPorts ?? usualPorts))
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
      // Its own process group: Ctrl-C in the terminal must reach the worker first, and the server only after it.
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
    // Whoever answers may be another program that took the port, with ours about to end for it.
    if (
      child.pid !== undefined &&
      waited >= settled &&
      (await isUp(ports)) &&
      isListener(child.pid, ports.grpc)
    ) {
      const start = await processStart(child.pid)
      if (start !== null) return ready(home, { pid: child.pid, start }, ports)
    }
    if (waited > startWithin)
      throw await giveUp(
        new EngineStartError(
          'timeout',
          `The engine did not answer within ${startWithin / 1000} s of its start.`,
          `The machine may be too busy; what the engine said is in ${logFile}.`,
        ),
      )
  }
}

/** Where the system can't tell who listens: a server that cannot have its ports ends within some tens of milliseconds. */
const settled = 400

const isUp = async ({ grpc }: Ports): Promise<boolean> =>
  (await someoneAnswers(grpc)) && answers({ address: `127.0.0.1:${grpc}` }, embeddedNamespace, 5_000)

function ready(home: Home, server: ProcessRef, ports: Ports): EmbeddedServer {
  rmSync(unfinishedMark(home), { force: true })
  const endpoint: EngineEndpoint = {
    address: `127.0.0.1:${ports.grpc}`,
    namespace: embeddedNamespace,
    uiUrl: `http://127.0.0.1:${ports.ui}`,
    pid: server.pid,
  }
  return { process: server, ports, endpoint }
}

/** How long a server that is still starting, or busy, gets to answer before it counts as broken. Milliseconds. */
const adoptWithin = 10_000

/**
 * The server of this home that outlived its `up`, if it is healthy. One that is not, and any second one, is ended: two
 * servers on one database would tear it. A process is ours only if its own command line names our database.
 * Throws EngineStartError where one outlives KILL.
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

/** Ends a server: TERM, time to write what it holds, KILL. Throws EngineStartError where it outlives that. */
export async function endEmbedded(server: ProcessRef): Promise<void> {
  if ((await endProcess(server, stopGrace)) !== false) return
  throw new EngineStartError(
    'unknown',
    `The engine's process ${server.pid} is still there after KILL.`,
    'It hangs in the operating system, most likely in a disk that does not answer. Repair that, then try again.',
  )
}

const unfinishedMark = (home: Home): string => `${home.database}.unfinished-mark`

/**
 * A server lays its tables only where there is no file at all. One that ended before it had done so leaves a file that
 * no later one can use. It never was ready, or it is empty, so nothing of the user's is in it; it is moved away, and
 * the next start begins anew.
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
