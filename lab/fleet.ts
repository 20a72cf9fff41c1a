/**
 * A whole outpool on real parts, around the stand-in API, with a separate home, logins, configuration,
 * engine, worker and tmux.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import type { SessionCard } from '../client/sessions/sessionRows.js'
import { toSessionReport, toSessionReportView } from '../client/sessions/sessionReport.js'
import { FleetReader } from '../client/fleet/fleetReader.js'
import { EventReader } from '../config/events/files.js'
import type { OutpoolEvent } from '../config/events/schema.js'
import { readEngine } from '../config/state/liveFile.js'
import { openHome } from '../config/state/home.js'
import type { SessionDetails } from '../policy/session/session.js'
import type { RehearsalMode } from '../policy/rehearsal.js'
import { type CliResult, type CommandRunner, definedOnly, runCommand } from './machine/runCommand.js'
import { agentProgram } from './standin/cleanEnv.js'
import { startWorld, type World } from './standin/world.js'
import { ownEngineOnly } from './engine/ownEngineOnly.js'
import { unexplainedTurns, UnexplainedTurnsError } from './turnGuard.js'
import { hangsAfterMs, until } from './until.js'

/** As `show --json` prints it. */
export type ShownSession = SessionDetails & Pick<SessionCard, 'background' | 'question'>

/** The command as this checkout has built it. */
export const builtCommand = fileURLToPath(new URL('../dist/client/bin.js', import.meta.url))

export interface FleetOptions {
  /** Pool accounts, in order. */
  accounts: string[]
  reserved?: string[]
  /** Merged into outpool.yaml. */
  config?: { timing?: Record<string, string> } & Record<string, unknown>
  /** For the agent program, in addition to its own environment. */
  agentArgs?: string[]
  /** What is done about a version that was never rehearsed. Default `off`: a rehearsal takes a core for a minute. */
  rehearse?: RehearsalMode
  /** Another program in place of the real one. */
  agent?: { command?: string; env: Record<string, string> }
  /** The file of the `outpool` command. Default: as this checkout has built it. */
  command?: string
  /** Per account, merged into its entry. */
  accountConfig?: Record<string, Record<string, unknown>>
  /** Called when the fleet is closed, once its workers and agents have ended. */
  onClosed?: () => Promise<void>
  /** Texts that the test sends more than once; every other text may stand in a conversation once. */
  repeated?: RegExp
  /** For the command and the worker, in addition to the environment of the fleet. */
  env?: Record<string, string>
  /** How commands are run to their end. Default: each in a process of its own, as a person does it. */
  commands?: (program: string) => CommandRunner
}

/** Shorter than the product's, so that a test need not wait for minutes; no behaviour depends on them. */
const fastTiming = { retryEvery: '5s', wakeMargin: '1s', keysQuiet: '1s', stopGrace: '5s', probeEvery: '5m' }

interface HostOptions extends Pick<FleetOptions, 'command' | 'commands' | 'env' | 'onClosed'> {
  repeated?: RegExp | null
  /** The name of a further host. */
  further?: string | null
}

export class Fleet {
  readonly dir: string
  readonly world: World
  readonly env: Record<string, string>
  /** The file of the `outpool` command. */
  readonly #command: string
  /** `worker` on a further host, which uses the engine of the first. */
  readonly #program: 'up' | 'worker'
  readonly #logFile: string
  readonly #furtherHosts: Fleet[] = []
  readonly #repeated: RegExp | null
  readonly #onClosed: () => Promise<void>
  readonly #commands: CommandRunner
  readonly #reader = new FleetReader()
  #up: ChildProcess | null = null

  constructor(
    dir: string,
    world: World,
    {
      command = builtCommand,
      commands = inProcesses,
      env = {},
      repeated = null,
      further = null,
      onClosed = () => Promise.resolve(),
    }: HostOptions = {},
  ) {
    this.dir = dir
    this.world = world
    this.#command = command
    this.#repeated = repeated
    this.#onClosed = onClosed
    this.#program = further === null ? 'up' : 'worker'
    this.#logFile = join(dir, `${further ?? 'up'}.log`)
    this.env = { ...fleetEnv(dir, world), ...env }
    this.#commands = commands(command)
  }

  /** A further host of this fleet, with a separate home: it has the same configuration, accounts and engine. It ends with this one. */
  addHost(name: string): Fleet {
    const engine = readEngine(openHome(this.env))
    if (engine === null) throw new Error('a further host needs the engine of the first: start that before')
    const home = join(this.dir, name)
    mkdirSync(home)
    copyFileSync(openHome(this.env).sealKeys, openHome({ ...this.env, OUTPOOL_HOME: home }).sealKeys)
    const host = new Fleet(this.dir, this.world, {
      command: this.#command,
      further: name,
      env: {
        ...this.env,
        OUTPOOL_HOME: home,
        TEMPORAL_ADDRESS: engine.address,
        TEMPORAL_NAMESPACE: engine.namespace,
      },
    })
    this.#furtherHosts.push(host)
    return host
  }

  /** Runs an outpool command to its end. */
  run(...args: string[]): Promise<CliResult> {
    return this.#commands.run(args, { env: this.env, cwd: this.dir })
  }

  /** As `run`, with these variables too. */
  runWith(env: Record<string, string>, ...args: string[]): Promise<CliResult> {
    return this.#commands.run(args, { env: { ...this.env, ...env }, cwd: this.dir })
  }

  /** As `run`, from another folder, and without a variable that names the configuration. */
  runIn(cwd: string, ...args: string[]): Promise<CliResult> {
    const env = Object.fromEntries(Object.entries(this.env).filter(([name]) => name !== 'OUTPOOL_CONFIG'))
    return this.#commands.run(args, { env, cwd })
  }

  /** As `run`, for a command that has to succeed and prints JSON. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run(...args, '--json')
    if (code !== 0) throw new Error(`outpool ${args.join(' ')} exited with ${String(code)}: ${stderr}`)
    return JSON.parse(stdout) as T
  }

  show(name: string): Promise<ShownSession> {
    return this.json<ShownSession>('show', name)
  }

  /**
   * What `show` would print, without a process for it: repeated processes would take a whole core from the
   * agents that a test waits for.
   */
  async #readView(name: string): Promise<ReturnType<typeof toSessionReportView>> {
    const home = openHome(this.env)
    return toSessionReportView(toSessionReport(home, await this.#reader.session(home, name)))
  }

  /** After a restart the workflow may not answer yet, and the view lacks its log. With a worker it answers soon. */
  #isComplete(view: ReturnType<typeof toSessionReportView>): boolean {
    return view.rescueLog !== null || this.workerPid() === null
  }

  /** Waits until the session is as wanted; the error shows its last state. */
  async untilSession(
    name: string,
    wanted: (session: ShownSession) => boolean,
    withinMs = hangsAfterMs,
  ): Promise<ShownSession> {
    const view = await until(
      `session ${name}`,
      () => this.#readView(name),
      (read) => this.#isComplete(read) && wanted(read as ShownSession),
      withinMs,
    )
    return view as ShownSession
  }

  /** Starts `outpool up` with these flags (`outpool worker` on a further host), and waits until it is ready. */
  async up(...flags: string[]): Promise<void> {
    const before = this.log().length
    // A file, not pipes: what is written just before the end can be read as soon as the process has ended.
    const log = openSync(this.#logFile, 'a', 0o600)
    // A separate process group, as from a shell: signals to the test runner must not reach it.
    const child = spawn(process.execPath, [this.#command, this.#program, ...flags], {
      env: this.env,
      cwd: this.dir,
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#up = child
    const printed = (): string => this.log().slice(before)
    const { exit, text } = await until(
      'outpool up',
      () => Promise.resolve({ exit: child.exitCode, text: printed() }),
      (seen) => seen.exit !== null || seen.text.includes('ready.'),
    )
    if (exit !== null) throw new Error(`outpool up exited with ${exit}: ${text}`)
  }

  /** Waits until every account of the pool was read: a session that asks for another one begins on one that was. */
  async untilRead(): Promise<void> {
    await until(
      'readings of all accounts',
      () => this.json<{ role: string; state: string }[]>('accounts'),
      (all) => all.every(({ role, state }) => role !== 'pool' || state !== 'unproven'),
    )
  }

  /** The process that watches this host, or null. */
  workerPid(): number | null {
    try {
      const { pid } = JSON.parse(readFileSync(openHome(this.env).workerLock, 'utf8')) as { pid: number }
      process.kill(pid, 0)
      return pid
    } catch {
      return null
    }
  }

  /** Stops `outpool up` as Ctrl-C does, or with -9. */
  async down(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    const child = this.#up
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const pid = signal === 'SIGKILL' ? this.workerPid() : null
    if (pid !== null) process.kill(pid, signal)
    child.kill(signal)
    await ended
    this.#up = null
  }

  /** Kills the command that a person started, and nothing that it has started itself. */
  async killCommand(): Promise<void> {
    const child = this.#up
    if (!child) throw new Error('outpool up does not run')
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    this.#up = null
  }

  tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.tmuxSocket, ...args], {
      encoding: 'utf8',
      // What tmux complains of is in the error, and not on the test runner's screen.
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  get tmuxSocket(): string {
    return openHome(this.env).tmuxSocket
  }

  /** Another tmux server, such as a person's own terminal. */
  tmuxOf(whose: string, ...args: string[]): string {
    return execFileSync('tmux', ['-S', join(this.dir, `${whose}.sock`), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Every process of this machine, one line each: `pid command line`. */
  processes(): string[] {
    return execFileSync('ps', ['-eo', 'pid=,stat=,args=', '-ww'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => !/^\s*\d+ Z/.test(line))
  }

  /** Those of this fleet: another run of the tests may have sessions of the same names. */
  ownProcesses(): string[] {
    return this.processes().filter((line) => line.includes(this.dir))
  }

  /** Everything that happened on this host so far, oldest first. */
  events(): OutpoolEvent[] {
    return new EventReader(openHome(this.env)).next()
  }

  /** What `outpool up` has printed so far, in all of its runs. */
  log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : ''
  }

  /** Ends everything that was started here, by its id. Throws UnexplainedTurnsError if an agent was given a turn without a reason. */
  async close(): Promise<void> {
    for (const host of this.#furtherHosts) await host.#end()
    await this.#end()
    const faults = unexplainedTurns(
      this.world.standIn.requests({ kind: 'turn' }),
      [this, ...this.#furtherHosts].flatMap((host) => host.events()),
      this.#repeated,
    )
    const engine = readEngine(openHome(this.env))
    if (engine?.pid) kill(engine.pid)
    await this.#onClosed()
    await this.world.close()
    // An agent that lost its terminal still writes for a moment.
    await until(
      `the processes of ${this.dir}`,
      () => Promise.resolve(this.ownProcesses()),
      (left) => left.length === 0,
    )
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    if (faults.length > 0) throw new UnexplainedTurnsError(faults)
  }

  /** Ends the worker and the panes of this host. */
  async #end(): Promise<void> {
    await this.#commands.close()
    await this.down()
    try {
      this.tmux('kill-server')
    } catch {
      // It ended with its last session.
    }
  }
}

const inProcesses = (program: string): CommandRunner => ({
  run: (args, place) => runCommand(program, args, place),
  close: () => Promise.resolve(),
})

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const dir = mkdtempSync(join(tmpdir(), 'outpool-fleet-'))
  const world = await startWorld(dir, { accounts: [...options.accounts, ...(options.reserved ?? [])] })
  const entry = (name: string): Record<string, unknown> => {
    const { configDir, env } = world.login(name)
    return {
      name,
      configDir,
      ...(Object.keys(env).length === 0 ? {} : { env }),
      ...options.accountConfig?.[name],
    }
  }
  const config = {
    pool: { name: 'main', accounts: options.accounts.map(entry) },
    ...(options.reserved ? { reserved: options.reserved.map(entry) } : {}),
    agents: {
      'claude-code': {
        command: options.agent?.command ?? agentProgram,
        args: options.agentArgs ?? [],
        rehearse: options.rehearse ?? 'off',
        env: { ...world.agentEnv, ...options.agent?.env },
      },
    },
    ...options.config,
    timing: { ...fastTiming, ...options.config?.timing },
  }
  writeFileSync(join(dir, 'outpool.yaml'), stringify(config))
  mkdirSync(join(dir, 'state'))
  const { command, commands, env, repeated, onClosed } = options
  return new Fleet(dir, world, {
    ...(command === undefined ? {} : { command }),
    ...(commands === undefined ? {} : { commands }),
    ...(env === undefined ? {} : { env }),
    ...(repeated === undefined ? {} : { repeated }),
    ...(onClosed === undefined ? {} : { onClosed }),
  })
}

function fleetEnv(dir: string, world: World): Record<string, string> {
  return definedOnly({
    ...ownEngineOnly(world.hostEnv),
    OUTPOOL_HOME: join(dir, 'state'),
    OUTPOOL_CONFIG: join(dir, 'outpool.yaml'),
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? '', '.cache'),
  })
}
