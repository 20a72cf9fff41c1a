/**
 * Outpool's tmux server: what it runs with, and how it is started. Where a unit of systemd's runs the worker, the server and
 * every pane in it get a scope of their own beside that unit: what ends, limits or counts the unit does not reach them.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'

/** What our server runs with: the user's own tmux.conf stays out, since it could rename, respawn or close panes. */
const serverConfig = `
set -g remain-on-exit on
set -g remain-on-exit-format ""
set -g exit-empty off
set -g history-limit 20000
set -g default-terminal "tmux-256color"
set -g escape-time 10
set -g mouse on
set -g focus-events on
set -g update-environment ""
set -g allow-rename off
set -g automatic-rename off
set -g status-interval 0
set -g status-left-length 40
set -g status-right-length 120
set -g status-left "#[bold] #S "
set -g status-right "#{@outpool_status} "
set -g window-status-format ""
set -g window-status-current-format ""
set-hook -g client-attached { if -F '#{&&:#{pane_dead},#{@outpool_stopped}}' { run -C '#{E:@outpool_hold}' } }
`

/** Whose unit runs the worker: the user's manager's or the system's. */
export type Manager = 'user' | 'system'

/**
 * Null where no unit runs it. systemd names the process that it has started, which is the worker or the command that has
 * started the worker: whoever is further away may be a shell in a terminal, with a scope already.
 */
export function managerOf(env: NodeJS.ProcessEnv): Manager | null {
  const started = Number(env['SYSTEMD_EXEC_PID'])
  if (started !== process.pid && started !== process.ppid) return null
  return env['MANAGERPID'] === undefined ? 'system' : 'user'
}

/** A manager that is busy takes a second to make a scope; milliseconds. */
const startWithin = 10_000

export class TmuxServer {
  readonly #named: string[]
  readonly #homeDir: string
  readonly #manager: Manager | null

  constructor(socket: string, homeDir: string, manager = managerOf(process.env)) {
    const config = join(homeDir, 'tmux.conf')
    writeFileSync(config, serverConfig, { mode: 0o600 })
    this.#named = ['-u', '-S', socket, '-f', config]
    this.#homeDir = homeDir
    this.#manager = manager
  }

  /** Arguments for a command to the server. One that finds no server says so: only `start` starts it. */
  get ifRunning(): string[] {
    return [...this.#named, '-N']
  }

  /** Nothing happens where it runs already. Answers what is said against it; null where it runs. */
  async start(): Promise<string | null> {
    const tmux = ['tmux', ...this.#named, 'start-server']
    const env = bareEnvironment()
    if (this.#manager !== null) {
      const inScope = [...scopeOf(this.#manager, this.#homeDir), ...tmux]
      const why = await run(inScope, { ...env, ...managerAddress() })
      if (why === null) return null
      console.error(`outpool: panes stay in the worker's own unit, since they got no scope beside it: ${why}`)
    }
    return run(tmux, env)
  }
}

/** The command line that lets another one run in a scope of its own. `env -i` keeps what it needs itself from the panes. */
const scopeOf = (manager: Manager, homeDir: string): string[] => [
  ...['systemd-run', `--${manager}`, '--scope', '--quiet', '--collect', '--no-ask-password'],
  // Each start has its own name: an earlier scope is there for as long as anything lives in it.
  ...[`--unit=outpool-panes-${randomBytes(4).toString('hex')}`, `--description=Outpool: panes of ${homeDir}`],
  // As in the unit (deploy/systemd/outpool.service), for what agents start; to delegate a scope is also to leave it
  // standing when the kernel ends one of its processes for memory.
  ...['--property=TasksMax=infinity', '--property=Delegate=yes', '--property=ManagedOOMPreference=avoid'],
  ...['--', 'env', '-i'],
  ...Object.entries(bareEnvironment()).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${value}`,
  ),
]

/** Where a user's manager is asked. */
function managerAddress(): NodeJS.ProcessEnv {
  const { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS } = process.env
  return { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS }
}

/** The server takes its environment from whoever starts it: what the panes inherit has to be bare. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, USER, LANG, LC_ALL, SHELL } = process.env
  return { PATH, HOME, USER, LANG: LANG ?? 'C.UTF-8', LC_ALL, SHELL, TERM: 'xterm-256color' }
}

/** Null where it went well, else what it said. */
async function run([program = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  const { failed, stderr, shortMessage } = await execa(program, args, {
    ...{ env, extendEnv: false, reject: false, timeout: startWithin, stdin: 'ignore' },
  })
  return failed ? stderr.trim() || shortMessage || 'no answer' : null
}
