/**
 * The demonstration's own outpool: made-up logins, a separate home, and an `outpool up` whose output can be
 * read.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { processStart } from '../host/process/processes.js'
import { openHome } from '../config/state/home.js'
import { readEngine } from '../config/state/liveFile.js'
import { type Fleet, startFleet } from '../lab/fleet.js'
import { bin } from './programs.js'

/** Thrown when a part of the product did not do what the demonstration is about to show. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed'
}

/** How long a process may take to end before it is killed, in milliseconds. */
const patience = 20_000

export class Outpool {
  readonly fleet: Fleet
  readonly #temporal: string
  #up: ChildProcess | null = null
  #output: string[] = []
  #closed: Promise<string[]> | null = null

  private constructor(fleet: Fleet, temporal: string) {
    this.fleet = fleet
    this.#temporal = temporal
  }

  /**
   * `temporal`: the engine's program, found or installed with the user's own settings, which the
   * demonstration's environment lacks. `agent`: the file of the agent program.
   */
  static async create(accounts: string[], temporal: string, agent: string): Promise<Outpool> {
    const fleet = await startFleet({ accounts, agent: { command: agent, env: {} }, command: bin })
    return new Outpool(fleet, temporal)
  }

  /** Runs `outpool up` with these flags, and returns once it is ready. Throws DemoFailed with its output if it ends instead. */
  async up(flags: readonly string[], hear: (line: string) => void): Promise<void> {
    const { env, dir } = this.fleet
    // In a separate process group: Ctrl-C goes to the demonstration, which then ends it in order.
    const child = spawn(process.execPath, [bin, 'up', ...flags], {
      env: { ...env, OUTPOOL_TEMPORAL: this.#temporal },
      cwd: dir,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#up = child
    await new Promise<void>((resolve, reject) => {
      let ready = false
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.#output.push(line)
        if (!ready) hear(line)
        if (!line.includes('ready.')) return
        ready = true
        resolve()
      })
      child.once('error', reject)
      child.once('exit', () => reject(new DemoFailed(`outpool up ended: ${this.lastOutput}`)))
    })
  }

  get lastOutput(): string {
    return this.#output.slice(-3).join(' / ')
  }

  /**
   * Runs a command, given by its arguments as they were typed, to its end. Throws DemoFailed with its output
   * if it fails.
   */
  async command(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.fleet.run(...args)
    if (code !== 0) throw new DemoFailed(`outpool ${args[0] ?? ''} failed: ${stderr.trim()}`)
    return stdout
  }

  tmux(...args: string[]): string {
    const { tmuxSocket } = openHome(this.fleet.env)
    return execFileSync('tmux', ['-S', tmuxSocket, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  }

  /**
   * Ends everything that was started here, in order and by its id, and removes the folder. Returns the names
   * of what ran, all of it gone now. A second call returns the first one's result.
   */
  close(): Promise<string[]> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<string[]> {
    const running = this.#running()
    this.#up?.removeAllListeners('exit')
    await this.#stopUp()
    this.#inTmux('kill-server')
    // Before the folder is removed: an agent that is ending still writes into it.
    for (const { pid } of running) await ended(pid)
    await this.fleet.close()
    return running.map(({ what, pid }) => `${what} ${pid}`)
  }

  #running(): { what: string; pid: number }[] {
    const engine = readEngine(openHome(this.fleet.env))?.pid
    const worker = this.fleet.workerPid()
    return [
      ...(engine ? [{ what: 'Temporal', pid: engine }] : []),
      ...(worker === null ? [] : [{ what: 'worker', pid: worker }]),
      ...this.#inTmux('display-message', '-p', '#{pid}').map((pid) => ({ what: 'tmux', pid })),
      ...this.#inTmux('list-panes', '-a', '-F', '#{pane_pid}').map((pid) => ({ what: 'agent', pid })),
    ]
  }

  #inTmux(...args: string[]): number[] {
    try {
      return this.tmux(...args)
        .split('\n')
        .filter(Boolean)
        .map(Number)
    } catch {
      return []
    }
  }

  async #stopUp(): Promise<void> {
    const child = this.#up
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGINT')
    const stayed = await Promise.race([exit.then(() => false), delay(patience, true, { ref: false })])
    if (!stayed) return
    const worker = this.fleet.workerPid()
    if (worker !== null) process.kill(worker, 'SIGKILL')
    child.kill('SIGKILL')
    await exit
  }
}

/** Waits until the process is gone; ends it if it stays. */
async function ended(pid: number): Promise<void> {
  const end = performance.now() + patience
  while ((await processStart(pid)) !== null) {
    if (performance.now() > end) process.kill(pid, 'SIGKILL')
    await delay(50)
  }
}
