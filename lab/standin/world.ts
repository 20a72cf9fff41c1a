/**
 * Stand-in, proxy and config dirs together: everything that the real agent program needs to run without any
 * real provider.
 */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type StandIn, type StandInOptions, startStandIn } from './api.js'
import { agentEnv, agentProgram, cleanAgentEnv, hostEnv } from './cleanEnv.js'
import { type Login, type LoginOptions, makeLogin } from './logins.js'
import { hangsAfterMs } from '../until.js'
import { startUsageProxy, type UsageProxy } from './usageProxy.js'

export interface PrintResult {
  code: number | null
  stdout: string
  stderr: string
}

export interface PrintOptions {
  cwd: string
  env: Record<string, string>
  /** Default: the program of package.json. */
  program?: string
  timeoutMs?: number
}

/** Runs the agent program to its end, without a terminal. */
export function runAgent(args: readonly string[], options: PrintOptions): Promise<PrintResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      options.program ?? agentProgram,
      args,
      {
        cwd: options.cwd,
        env: options.env,
        timeout: options.timeoutMs ?? hangsAfterMs,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) => {
        if (error && child.exitCode === null)
          reject(new Error(`the agent program did not end by itself: ${error.message}`))
        else resolve({ code: child.exitCode, stdout, stderr })
      },
    )
    child.stdin?.end()
  })
}

export class World {
  readonly dir: string
  readonly standIn: StandIn
  readonly proxy: UsageProxy
  /** A folder to work in, trusted in every login made here. */
  readonly cwd: string

  constructor(dir: string, standIn: StandIn, proxy: UsageProxy) {
    this.dir = dir
    this.standIn = standIn
    this.proxy = proxy
    this.cwd = join(dir, 'work')
    mkdirSync(this.cwd, { recursive: true })
  }

  /** A config dir logged in as the account of this name; `dirName` makes a second one with the same login. */
  login(name: string, options: LoginOptions & { dirName?: string } = {}): Login {
    const configDir = join(this.dir, 'logins', options.dirName ?? name)
    return makeLogin(configDir, this.standIn.account(name), {
      ...options,
      trusted: [this.cwd, ...(options.trusted ?? [])],
    })
  }

  /** For a process that starts agents itself, such as `outpool up`: no login, no base URL, no proxy. */
  get hostEnv(): Record<string, string> {
    return hostEnv(this.dir)
  }

  /** What such a process has to pass on to its agents: `agents.claude-code.env` of its `outpool.yaml`. */
  get agentEnv(): Record<string, string> {
    return agentEnv({ baseUrl: this.standIn.url, proxyEnv: this.proxy.env })
  }

  /** The whole environment of an agent program under this login. */
  env(
    login: Login | null,
    options: { nonEssentialTraffic?: boolean; extra?: Record<string, string> } = {},
  ): Record<string, string> {
    return cleanAgentEnv({
      dir: this.dir,
      baseUrl: this.standIn.url,
      proxyEnv: this.proxy.env,
      nonEssentialTraffic: options.nonEssentialTraffic ?? false,
      ...(login ? { configDir: login.configDir } : {}),
      extra: { ...login?.env, ...options.extra },
    })
  }

  async close(): Promise<void> {
    await this.proxy.close()
    await this.standIn.close()
  }
}

/** `dir` has to exist; the caller removes it. */
export async function startWorld(dir: string, options: StandInOptions = {}): Promise<World> {
  const standIn = await startStandIn(options)
  return new World(dir, standIn, await startUsageProxy(standIn, join(dir, 'proxy')))
}
