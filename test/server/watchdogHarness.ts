/** Services for tests: one small program that a file controls, guarded by a real worker on a real engine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, Connection } from '@temporalio/client'
import { execa } from 'execa'
import { stringify } from 'yaml'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import { processStart } from '../../host/process/processes.js'
import { parseConfig } from '../../config/load/load.js'
import { EventReader } from '../../config/events/files.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import { readIncidents, readLastCheck } from '../../config/state/serviceFiles.js'
import { watchdogWorkflowId } from '../../policy/ids.js'
import type { Incident } from '../../policy/service/incident.js'
import { type RunningWorker, startWorker } from '../../worker/worker.js'
import {
  type CheckResult,
  watchdogQueries,
  watchdogSignals,
  watchdogUpdates,
  type WatchdogView,
} from '../../workflows/messages.js'
import { type DevServer, sharedServer } from '../../lab/engine/engine.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'
import { sealedClient } from '../../lab/engine/sealed.js'
import { until } from '../../lab/until.js'

// Failures that tests provoke are not worth printing.
Runtime.install({ logger: new DefaultLogger('ERROR') })

/**
 * Writes its process id to `starts`, beats five times a second, and does what the file `mode` says: `quiet`
 * (stops beating), `spin`, `deaf` (as quiet, and ignores TERM), `exit N`. `quiet PID` and `deaf PID` are
 * meant for that process alone; `deaf PID WORKER` also kills the worker when it gets TERM.
 */
const program = `
import { appendFileSync, readFileSync, writeFileSync, renameSync } from 'node:fs'
import { spawn } from 'node:child_process'
const name = process.env.OUTPOOL_SERVICE ?? process.argv[2]
const mode = () => { try { return readFileSync('mode', 'utf8').trim() } catch { return '' } }
if (mode() === 'fork' && process.argv[3] !== 'child') {
  spawn(process.execPath, [process.argv[1], name, 'child'], { detached: true, stdio: 'ignore' }).unref()
} else {
  appendFileSync('starts', process.pid + '\\n')
  console.log('started as ' + process.pid)
  const isFor = (pid) => pid === undefined || Number(pid) === process.pid
  process.on('SIGTERM', () => {
    const [what, pid, worker] = mode().split(' ')
    if (what !== 'deaf' || !isFor(pid)) process.exit(0)
    if (worker === undefined) return
    writeFileSync('mode', 'deaf ' + pid)
    process.kill(Number(worker), 'SIGKILL')
  })
  // Ends when its terminal has answered, and so has read what was printed: tmux can lose the last output of a process.
  let isLeaving = false
  const leave = (status) => {
    isLeaving = true
    console.log('leaving with ' + status)
    if (!process.stdin.isTTY) process.exit(status)
    process.stdin.setRawMode(true).once('data', () => process.exit(status))
    process.stdout.write('\\x1b[6n')
  }
  const work = () => {
    if (isLeaving) return
    const [what, arg] = mode().split(' ')
    if (what === 'exit') return leave(Number(arg))
    if (what === 'spin') for (;;);
    if ((what === 'quiet' || what === 'deaf') && isFor(arg)) return
    writeFileSync('beat.new', JSON.stringify({ by: name, pid: process.pid, at: new Date().toISOString(), doing: 'its work' }))
    try { renameSync('beat.new', 'beat') } catch {}
  }
  work()
  setInterval(work, 200)
}
`

/** How to find a service that Outpool does not start itself. */
const places = ['pidFile', 'unit', 'pane']

/** The workflows as this checkout has built them. */
const workflowBundle = { codePath: fileURLToPath(new URL('../../dist/workflows/bundle.js', import.meta.url)) }
const workerProgram = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url))

/** Its file, in the folder above each service's. */
export const serviceProgram = 'program.mjs'

export interface TestService {
  name: string
  mode?: string
  /** Merged into its entry. */
  config?: Record<string, unknown>
}

export class WatchdogHarness {
  readonly server: DevServer
  readonly dir: string
  readonly #text: string
  readonly #client: Client
  readonly #connection: Connection
  #worker: RunningWorker | null = null

  private constructor(server: DevServer, dir: string, text: string, connection: Connection) {
    this.server = server
    this.dir = dir
    this.#text = text
    this.#connection = connection
    this.#client = sealedClient(server.home, connection, server.namespace)
  }

  static async open(wishes: TestService[]): Promise<WatchdogHarness> {
    const server = await sharedServer()
    const dir = server.home.dir
    for (const folder of ['max-1', 'medic']) mkdirSync(join(dir, 'logins', folder), { recursive: true })
    writeFileSync(join(dir, serviceProgram), program)
    const services = wishes.map(({ name, mode, config }) => {
      mkdirSync(join(dir, name))
      if (mode !== undefined) writeFileSync(join(dir, name, 'mode'), mode)
      return {
        ...{ name, cwd: join(dir, name), every: '2s' },
        ...(places.every((place) => config?.[place] === undefined)
          ? { run: [process.execPath, join(dir, serviceProgram), name] }
          : {}),
        heartbeat: { file: join(dir, name, 'beat'), staleAfter: '5s' },
        restarts: { limit: 3, within: '1m', backoff: '1s' },
        ...config,
      }
    })
    const text = stringify({
      pool: { accounts: [{ name: 'max-1', configDir: join(dir, 'logins', 'max-1') }] },
      timing: { stopGrace: '1s' },
      services,
    })
    const connection = await Connection.connect(server.connectOptions)
    return new WatchdogHarness(server, dir, text, connection)
  }

  async startWorker(change: (text: string) => string = (text) => text): Promise<void> {
    const { home, connectOptions, namespace } = this.server
    const config = parseConfig(change(this.#text), join(this.dir, 'outpool.yaml'))
    this.#worker = await startWorker({ home, config, connectOptions, namespace, workflowBundle })
  }

  /**
   * In a separate process, which can be killed at any instant. `ready` resolves to null if it was killed
   * before it was ready.
   */
  startWorkerProcess(env: Record<string, string>): { child: ChildProcess; ready: Promise<string | null> } {
    const config = join(this.dir, 'outpool.yaml')
    writeFileSync(config, this.#text)
    const child = spawn(process.execPath, [workerProgram, 'worker', '--config', config], {
      env: { ...ownEngineOnly(), OUTPOOL_HOME: this.dir, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const ready = until(
      'the worker to be ready',
      () => Promise.resolve(child.signalCode === null ? said : null),
      (text) => text === null || text.includes('ready.'),
    )
    return { child, ready }
  }

  async stopWorker(): Promise<void> {
    await this.#worker?.stop()
    this.#worker = null
  }

  events(): OutpoolEvent[] {
    return new EventReader(this.server.home).next()
  }

  path(service: string, file: string): string {
    return join(this.dir, service, file)
  }

  mode(service: string, mode: string): void {
    writeFileSync(this.path(service, 'mode'), mode)
  }

  starts(service: string): number[] {
    const file = this.path(service, 'starts')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []
  }

  async alive(service: string): Promise<number[]> {
    const pids = await Promise.all(
      this.starts(service).map(async (pid) => ((await processStart(pid)) === null ? [] : [pid])),
    )
    return pids.flat()
  }

  card(service: string): Promise<WatchdogView> {
    return this.#client.workflow.getHandle(watchdogWorkflowId(service)).query(watchdogQueries.describe)
  }

  lastCheck(service: string) {
    return readLastCheck(this.server.home, service)
  }

  incidents(service: string): Incident[] {
    return readIncidents(this.server.home).filter((incident) => incident.service === service)
  }

  check(service: string): Promise<CheckResult> {
    return this.#client.workflow.getHandle(watchdogWorkflowId(service)).executeUpdate(watchdogUpdates.check)
  }

  signal(service: string, signal: 'pause' | 'resume' | 'restart' | 'retire'): Promise<void> {
    return this.#client.workflow.getHandle(watchdogWorkflowId(service)).signal(watchdogSignals[signal])
  }

  async isRunning(service: string): Promise<boolean> {
    return (
      (await this.#client.workflow.getHandle(watchdogWorkflowId(service)).describe()).status.name ===
      'RUNNING'
    )
  }

  async historyLength(service: string): Promise<number> {
    return (await this.#client.workflow.getHandle(watchdogWorkflowId(service)).describe()).historyLength
  }

  /** Records every instant at which more than one process of a service lives. */
  watchDoubles(services: string[]): { stop(): string[] } {
    const doubles: string[] = []
    const timer = setInterval(() => {
      for (const name of services)
        void this.alive(name).then(async (pids) => {
          // They are looked at one after the other: the first may have ended before the second began.
          if (pids.length > 1 && (await this.alive(name)).filter((pid) => pids.includes(pid)).length > 1)
            doubles.push(`${name}: ${pids.join(' and ')}`)
        })
    }, 100)
    return {
      stop: () => {
        clearInterval(timer)
        return doubles
      },
    }
  }

  /** Runs and beats, in its Nth process. */
  untilWell(service: string, starts = 1): Promise<unknown> {
    return until(
      `${service} to be well`,
      async () => ({
        started: this.starts(service).length,
        alive: await this.alive(service),
        look: this.lastCheck(service),
      }),
      ({ started, alive, look }) =>
        started >= starts && alive.length === 1 && look?.verdict === 'well' && look.memory.beat !== null,
    )
  }

  async close(services: string[]): Promise<void> {
    await this.stopWorker()
    for (const service of services) for (const pid of await this.alive(service)) process.kill(pid, 'SIGKILL')
    await execa('tmux', ['-S', this.server.home.tmuxSocket, 'kill-server'], { reject: false })
    await this.#connection.close()
    await this.server.stop()
  }

  /** Appends to a file, as a working process does. */
  grow(service: string, file: string): void {
    appendFileSync(this.path(service, file), 'more\n')
  }

  /** A file beside the folders of the services. */
  write(file: string, text: string): void {
    writeFileSync(join(this.dir, file), text)
  }

  remove(service: string, file: string): void {
    rmSync(this.path(service, file), { recursive: true, force: true })
  }
}
