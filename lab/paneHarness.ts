/** The real agent program in a real pane, launched as the adapter plans it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { LaunchInput } from '../agents/adapter/launch.js'
import type { AgentReport } from '../agents/adapter/liveness.js'
import type { Place } from '../agents/adapter/place.js'
import { claudeCode } from '../agents/claude-code/index.js'
import { agentProgram } from './standin/cleanEnv.js'
import type { Login } from './standin/logins.js'
import { startWorld, type World } from './standin/world.js'
import { hangsAfterMs } from './until.js'
import { endProcess, processStart } from '../host/process/processes.js'

const run = promisify(execFile)

export async function until<T>(
  what: string,
  read: () => Promise<T | null> | T | null,
  ms = hangsAfterMs,
): Promise<T> {
  const end = Date.now() + ms
  for (;;) {
    const value = await read()
    if (value !== null) return value
    if (Date.now() > end) throw new Error(`did not come within ${ms} ms: ${what}`)
    await wait(50)
  }
}

/** A zombie counts as gone: it is reaped by its new parent, and tmux leaves its last one to process 1. */
const untilGone = (pid: number): Promise<true> =>
  until(`process ${pid} to end`, async () => ((await processStart(pid)) === null ? true : null))

export class PaneHarness {
  readonly dir: string
  readonly world: World
  readonly reportDir: string
  readonly program: string
  /** How long something may take to come, in ms. */
  readonly patience: number
  readonly #socket: string
  #panes = 0
  /** Calls of tmux that are under way. */
  readonly #calls = new Set<Promise<unknown>>()
  #isStopped = false

  constructor(dir: string, world: World, { program = agentProgram, patience = hangsAfterMs } = {}) {
    this.dir = dir
    this.world = world
    this.program = program
    this.patience = patience
    this.reportDir = join(dir, 'reports')
    this.#socket = join(dir, 'tmux.sock')
  }

  static async start(): Promise<PaneHarness> {
    const dir = mkdtempSync(join(tmpdir(), 'adapter-'))
    return new PaneHarness(dir, await startWorld(dir))
  }

  /** The programs end first: an ending one still writes reports. A scene that still uses the harness gets an error, and starts none. */
  async stop(): Promise<void> {
    this.#isStopped = true
    // One of them could start another server after the end of this one.
    await Promise.allSettled(this.#calls)
    const listed = await this.#tmux('list-panes', '-a', '-F', '#{pane_pid}').catch(() => '')
    await this.#tmux('kill-server').catch(() => undefined)
    for (const pid of listed.split('\n').filter((line) => line !== '')) await untilGone(Number(pid))
    await this.world.close()
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  /** Throws once the harness has stopped. */
  async tmux(...args: string[]): Promise<string> {
    if (this.#isStopped) throw new Error('the harness has stopped')
    const call = this.#tmux(...args)
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
    }
  }

  async #tmux(...args: string[]): Promise<string> {
    const env = this.world.env(null)
    return (await run('tmux', ['-S', this.#socket, '-f', '/dev/null', ...args], { env })).stdout
  }

  place(login: Login, name = 'a'): Place {
    return { kind: 'account', name, configDir: login.configDir, env: login.env }
  }

  input(place: Place, more: Partial<LaunchInput> & { sessionId: string }): LaunchInput {
    return {
      place,
      command: { command: this.program, args: [], env: { ANTHROPIC_BASE_URL: this.world.standIn.url } },
      session: 'garden',
      fence: 1,
      cwd: this.world.cwd,
      model: null,
      mode: 'new',
      prompt: null,
      launchDir: join(this.dir, 'launch', `${more.fence ?? 1}`),
      reportDir: this.reportDir,
      baseEnv: this.world.env(null),
      ...more,
    }
  }

  /** Prepares the place, plans the launch and runs it in a new pane. */
  async launch(input: LaunchInput): Promise<Pane> {
    await claudeCode.prepare(input.place, input.cwd)
    return this.launchUnprepared(input)
  }

  /** As `launch`, without preparing the place: pages may open. */
  async launchUnprepared(input: LaunchInput): Promise<Pane> {
    const { argv, env } = await claudeCode.planLaunch(input)
    const name = `p${++this.#panes}`
    const environment = Object.entries(env).map(([key, value]) => `${key}=${value}`)
    const size = ['-x', '120', '-y', '50']
    await this.tmux(
      'new-session',
      '-d',
      '-s',
      name,
      ...size,
      '-c',
      input.cwd,
      'env',
      '-i',
      ...environment,
      ...argv,
      ...[';', 'set-option', 'remain-on-exit', 'on'],
    )
    return new Pane(this, name)
  }

  /** Parsed as a worker would, oldest first. */
  reports(): AgentReport[] {
    return readdirSync(this.reportDir)
      .filter((name) => !name.startsWith('.'))
      .map((name) => ({ name, at: statSync(join(this.reportDir, name)).mtimeMs }))
      .sort((a, b) => a.at - b.at)
      .map(({ name, at }) => {
        const body = readFileSync(join(this.reportDir, name), 'utf8')
        return claudeCode.parseReport(name, body, new Date(at).toISOString())
      })
      .filter((report) => report !== null)
  }

  report<K extends AgentReport['kind']>(
    kind: K,
    fits: (report: Extract<AgentReport, { kind: K }>) => boolean = () => true,
  ): Promise<Extract<AgentReport, { kind: K }>> {
    const isWanted = (report: AgentReport): report is Extract<AgentReport, { kind: K }> =>
      report.kind === kind
    return until(`a report: ${kind}`, () => this.reports().filter(isWanted).find(fits) ?? null, this.patience)
  }
}

export class Pane {
  readonly #bench: PaneHarness
  readonly name: string

  constructor(harness: PaneHarness, name: string) {
    this.#bench = harness
    this.name = name
  }

  screen(): Promise<string> {
    return this.#bench.tmux('capture-pane', '-pe', '-t', this.name)
  }

  keys(...keys: string[]): Promise<string> {
    return this.#bench.tmux('send-keys', '-t', this.name, ...keys)
  }

  /** As a terminal does it when a person pastes. */
  async paste(text: string): Promise<void> {
    await this.#bench.tmux('set-buffer', '-b', this.name, '--', text)
    await this.#bench.tmux('paste-buffer', '-p', '-r', '-d', '-b', this.name, '-t', this.name)
  }

  async pid(): Promise<number> {
    return Number((await this.#bench.tmux('display', '-p', '-t', this.name, '#{pane_pid}')).trim())
  }

  /** Waits until the screen shows this. */
  untilShown(what: RegExp): Promise<string> {
    return until(
      `on the screen: ${what.source}`,
      async () => {
        const screen = await this.screen()
        return what.test(screen) ? screen : null
      },
      this.#bench.patience,
    )
  }

  /** Ends the process as a rescue does, by the id that tmux knows. */
  async end(): Promise<void> {
    const pid = await this.pid()
    // As in the product: a TERM in the first moments of the program is lost, and only KILL is certain. One
    // that was killed reports no end, so a slow machine gets enough time.
    const start = await processStart(pid)
    if (start !== null) await endProcess({ pid, start }, 20_000)
    await untilGone(pid)
  }
}
