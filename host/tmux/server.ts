/**
 * Outpool's tmux server: its configuration, and how it is started. If the worker runs in a systemd unit, the server and its panes
 * get a separate scope, so that stopping or limiting the unit does not affect them.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { execa } from 'execa'
import { log } from '../log.js'
import { writeFileAtomic } from '../state/atomicFile.js'

/**
 * The server's configuration. The user's own tmux.conf is not read, because it could rename, respawn or close panes. `@outpool_nested`
 * holds the clients that run inside a tmux of the person's (client/tmux/nested.ts).
 */
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
set -g status-right-length 160
set -g status-left "#[bold] #S "
set -g status-right "#{?#{m:* #{client_pid} *,#{@outpool_nested}},leave with #{@outpool_leave} | ,}#{@outpool_status} "
set -g window-status-format ""
set -g window-status-current-format ""
set-hook -g client-attached { if -F '#{&&:#{pane_dead},#{@outpool_stopped}}' { run -C '#{@outpool_hold}' } }
`

/** The systemd manager whose unit runs the worker. */
export type Manager = 'user' | 'system'

/**
 * Null if no unit runs this process. systemd names the process that it has started, which must be this process or its parent: a
 * more distant one may be a shell in a terminal that has a scope already.
 */
export function managerOf(env: NodeJS.ProcessEnv): Manager | null {
  const started = Number(env['SYSTEMD_EXEC_PID'])
  if (started !== process.pid && started !== process.ppid) return null
  return env['MANAGERPID'] === undefined ? 'system' : 'user'
}

/** Creating a scope takes a second if the manager is busy; milliseconds. */
const startWithin = 10_000

export class TmuxServer {
  readonly #named: string[]
  readonly #homeDir: string
  readonly #manager: Manager | null

  constructor(socket: string, homeDir: string, manager = managerOf(process.env)) {
    const config = join(homeDir, 'tmux.conf')
    writeFileAtomic(config, serverConfig, { isDurable: false })
    this.#named = ['-u', '-S', socket, '-f', config]
    this.#homeDir = homeDir
    this.#manager = manager
  }

  /** Arguments for a command to the running server. Only `start` starts one. */
  get argumentsIfRunning(): string[] {
    return [...this.#named, '-N']
  }

  /** Does nothing if the server runs already. Returns null on success, else why it failed. */
  async start(): Promise<string | null> {
    const tmux = ['tmux', ...this.#named, 'start-server']
    const env = bareEnvironment()
    if (this.#manager !== null) {
      const inScope = [...scopeOf(this.#manager, this.#homeDir), ...tmux]
      const why = await run(inScope, { ...env, ...managerAddress() })
      if (why === null) return null
      log.warn(
        `panes run in the worker's own systemd unit, because no scope could be created for them: ${why}`,
      )
    }
    return run(tmux, env)
  }
}

/** The command line that runs another command in a separate scope. `env -i` keeps its own variables from the panes. */
const scopeOf = (manager: Manager, homeDir: string): string[] => [
  ...['systemd-run', `--${manager}`, '--scope', '--quiet', '--collect', '--no-ask-password'],
  // Each start has a different name, because an earlier scope exists as long as any process runs in it.
  ...[`--unit=outpool-panes-${randomBytes(4).toString('hex')}`, `--description=Outpool: panes of ${homeDir}`],
  // As in the unit (deploy/systemd/outpool.service), for programs that agents start. A delegated scope also survives when the
  // kernel kills one of its processes for memory.
  ...['--property=TasksMax=infinity', '--property=Delegate=yes', '--property=ManagedOOMPreference=avoid'],
  ...['--', 'env', '-i'],
  ...Object.entries(bareEnvironment()).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${value}`,
  ),
]

/** How to reach the user's systemd manager. */
function managerAddress(): NodeJS.ProcessEnv {
  const { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS } = process.env
  return { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS }
}

/** The panes inherit the environment of the process that starts the server, so it holds only what they need. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, USER, LANG, LC_ALL, SHELL } = process.env
  return { PATH, HOME, USER, LANG: LANG ?? 'C.UTF-8', LC_ALL, SHELL, TERM: 'xterm-256color' }
}

/** Null on success, else the error output. */
async function run([program = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  const { failed, stderr, shortMessage } = await execa(program, args, {
    ...{ env, extendEnv: false, reject: false, timeout: startWithin, stdin: 'ignore' },
  })
  return failed ? stderr.trim() || shortMessage || 'no answer' : null
}
