/**
 * What every candidate gets: the real agent program in a tmux pane, two logins of the stand-in, and a wall.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import type { Login } from '../../lab/standin/logins.js'
import { startWorld, type World } from '../../lab/standin/world.js'
import { until } from '../../lab/until.js'

export const accounts = ['max-1', 'max-2'] as const
const pane = 'work'

export class PeerSetup {
  readonly dir: string
  readonly world: World
  readonly logins: readonly [Login, Login]
  /** For everything that runs here: only PATH comes from the caller. */
  readonly env: Record<string, string>
  readonly #started: ChildProcess[] = []

  constructor(dir: string, world: World, logins: readonly [Login, Login]) {
    this.dir = dir
    this.world = world
    this.logins = logins
    const bin = join(dir, 'bin')
    mkdirSync(bin)
    mkdirSync(join(dir, 'tmux'))
    symlinkSync(agentProgram, join(bin, 'claude'))
    this.env = {
      ...world.env(null),
      PATH: [bin, world.env(null)['PATH'] ?? ''].join(delimiter),
      // The server that a plain `tmux` finds; it belongs to this run alone.
      TMUX_TMPDIR: join(dir, 'tmux'),
      SSL_CERT_FILE: world.proxy.env['NODE_EXTRA_CA_CERTS'] ?? '',
    }
  }

  tmux(...args: string[]): string {
    return execFileSync('tmux', ['-f', '/dev/null', ...args], { env: this.env, encoding: 'utf8' })
  }

  screen(): string {
    return this.tmux('capture-pane', '-p', '-t', pane)
  }

  /** Starts the agent in the pane; without a config dir it uses that of HOME. */
  openPane(configDir: string | null): string {
    const env = configDir === null ? [] : ['-e', `CLAUDE_CONFIG_DIR=${configDir}`]
    this.tmux(
      'new-session',
      '-d',
      '-s',
      pane,
      '-x',
      '160',
      '-y',
      '50',
      '-c',
      this.world.cwd,
      ...env,
      'claude',
    )
    return pane
  }

  async say(text: string): Promise<void> {
    this.tmux('send-keys', '-t', pane, '-l', text)
    // Sent together they would be taken for a paste.
    await delay(500)
    this.tmux('send-keys', '-t', pane, 'Enter')
  }

  /** Runs until the set-up is closed; returns its output. */
  keep(
    command: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): { pid: number; said: () => string } {
    const log = join(this.dir, `log-${this.#started.length}`)
    const child = spawn(command, args, {
      env: { ...this.env, ...env },
      cwd: this.world.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const file = createWriteStream(log)
    child.stdout.pipe(file)
    child.stderr.pipe(file)
    this.#started.push(child)
    return { pid: child.pid ?? -1, said: () => readFileSync(log, 'utf8') }
  }

  run(command: string, args: readonly string[], env: Record<string, string> = {}): string {
    return execFileSync(command, args, {
      env: { ...this.env, ...env },
      cwd: this.world.cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  async close(): Promise<void> {
    for (const child of this.#started) child.kill('SIGKILL')
    try {
      this.tmux('kill-server')
    } catch {
      // It ended with its last session.
    }
    await this.world.close()
    await until(
      `the processes of ${this.dir}`,
      () => Promise.resolve(execFileSync('ps', ['-eo', 'args=', '-ww'], { encoding: 'utf8' })),
      (all) => !all.includes(this.dir),
      30_000,
    )
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/**
 * `inHome`: the first login is that of HOME, for tools that know only one login. Unless `alone` is set, the
 * program does not go on by itself at the reset, so that only the candidate's work is measured.
 */
export async function openPeerSetup({
  inHome,
  alone,
}: {
  inHome: boolean
  alone: boolean
}): Promise<PeerSetup> {
  const dir = mkdtempSync(join(tmpdir(), 'outpool-peers-'))
  const world = await startWorld(dir, { accounts: [...accounts] })
  const login = (name: string): Login => {
    const status = join(dir, 'logins', name, 'status.json')
    const statusLine = { type: 'command', command: `cat > '${status}'` }
    return world.login(name, {
      settings: { statusLine, ...(alone ? {} : { autoContinueAtUsageLimit: false }) },
    })
  }
  const testPool = new PeerSetup(dir, world, [login(accounts[0]), login(accounts[1])])
  if (inHome) useInHome(testPool, 0)
  return testPool
}

/** Makes the login the one of HOME, as if a person had logged in with it there. */
export function useInHome(testPool: PeerSetup, which: 0 | 1): void {
  const home = testPool.env['HOME'] ?? ''
  execFileSync('cp', ['-r', '-T', testPool.logins[which].configDir, join(home, '.claude')])
  renameSync(join(home, '.claude', '.claude.json'), join(home, '.claude.json'))
}
