/** A fleet of stub agents under the whole product: hundreds of sessions, and walls on demand. */
import { randomUUID } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, Connection } from '@temporalio/client'
import { startSession } from '../client/engine/startSession.js'
import { loadConfig } from '../config/load/load.js'
import { openHome, type Home } from '../config/state/home.js'
import { readEngine, readLive } from '../config/state/liveFile.js'
import { poolWorkflowId, sessionWorkflowId } from '../policy/ids.js'
import { sealedClient } from '../lab/engine/sealed.js'
import { type Fleet, startFleet } from '../lab/fleet.js'
import { until } from '../lab/until.js'
import { liveAgents } from './arrivals.js'
import { type Usage, usageOf } from './usage.js'

const stub = fileURLToPath(new URL('stub/agent.sh', import.meta.url))

/** Requested in one batch while the fleet is being filled. */
const startsAtOnce = 25
/** More than a fleet of any size on any machine needs for one step. */
const patience = 30 * 60_000

export interface StubFleetOptions {
  accounts: string[]
  /** Those of them that are walled from the beginning. */
  walled?: string[]
  /** Of each account. */
  maxSessions: number
  /** Rounds of an empty loop at each start of an agent. */
  startRounds?: number
  /** Every account is probed this often; by default often, since lifted walls are found by routine probes. */
  probeEvery?: string
  /** Counts every call of tmux, at the cost of one more shell start for each. */
  counted?: boolean
  /** More variables, for everything that runs on the host. */
  env?: Record<string, string>
}

export class StubFleet {
  readonly fleet: Fleet
  readonly home: Home
  client: Client
  #connection: Connection

  constructor(fleet: Fleet, connection: Connection, namespace: string) {
    this.fleet = fleet
    this.home = openHome(fleet.env)
    this.#connection = connection
    this.client = sealedClient(this.home, connection, namespace)
  }

  /** Ends the worker this way, and starts another; after Ctrl-C the engine is a new one too. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.fleet.down(signal)
    await this.fleet.up()
    await this.reconnect()
  }

  /** To the current engine: a restarted one may have another address. */
  async reconnect(): Promise<void> {
    const { namespace } = this.client.options
    await this.#connection.close()
    this.#connection = await Connection.connect({ address: this.address })
    this.client = sealedClient(this.home, this.#connection, namespace)
  }

  get address(): string {
    return readEngine(this.home)?.address ?? ''
  }

  configDir(account: string): string {
    return join(this.fleet.dir, 'logins', account)
  }

  /** Starts these sessions, each with a first turn behind it, and waits until all are at rest and watched. */
  async start(names: string[]): Promise<void> {
    const { timing } = loadConfig({ path: join(this.fleet.dir, 'outpool.yaml') })
    const engine = { client: this.client, namespace: this.client.options.namespace, within: callNow }
    for (let from = 0; from < names.length; from += startsAtOnce) {
      await this.untilAtRest(Math.max(0, from - startsAtOnce), 'at least')
      await Promise.all(
        names.slice(from, from + startsAtOnce).map((name) =>
          startSession(engine, {
            ...{ name, pool: 'main', sessionId: randomUUID(), host: this.home.hostId, agent: 'claude-code' },
            ...{ model: null, cwd: this.fleet.world.cwd, account: null, pinned: false, priority: 0, timing },
            ...{ prompt: 'Hello.', continues: false },
          }),
        ),
      )
    }
    await this.untilAtRest(names.length)
  }

  /** Sessions that the worker sees at rest right now. */
  atRest(): number {
    const live = readLive(this.home)
    return Object.values(live?.sessions ?? {}).filter(({ phase }) => phase === 'idle').length
  }

  async untilAtRest(count: number, how: 'exactly' | 'at least' = 'exactly'): Promise<void> {
    await until(
      `${count} sessions at rest`,
      () => Promise.resolve(this.atRest()),
      (found) => found === count || (how === 'at least' && found > count),
      patience,
    )
  }

  /** The agents that run in these accounts. */
  agents(accounts: readonly string[]): { sessionId: string; pid: number; configDir: string }[] {
    return accounts.flatMap((account) => liveAgents(this.configDir(account)))
  }

  /**
   * Walls the account: no turn of it succeeds from now on. It states a reset in `resetsIn` ms, or in hours by
   * default.
   */
  wall(account: string, resetsIn?: number): void {
    putWall(this.fleet, account, resetsIn)
  }

  unwall(account: string): void {
    for (const name of ['wall', 'used']) rmSync(stubFile(this.fleet, account, name), { force: true })
  }

  /** Lifts the walls, and waits until the product has found that by probing. */
  async lift(accounts: readonly string[]): Promise<void> {
    for (const account of accounts) this.unwall(account)
    await this.untilState(() => 'ready')
  }

  /** Waits until all accounts are in this state, as `outpool accounts` shows them. */
  async untilState(wanted: (account: string) => string): Promise<void> {
    await until(
      'all accounts as wanted',
      () => this.fleet.json<{ name: string; state: string; windows: unknown[] }[]>('accounts'),
      (all) => all.every(({ name, state, windows }) => state === wanted(name) && windows.length > 0),
      patience,
    )
  }

  /** Kills the engine, and waits until the product has another one that answers. */
  async killEngine(): Promise<void> {
    const pid = readEngine(this.home)?.pid ?? null
    if (pid !== null) process.kill(pid, 'SIGKILL')
    await until(
      'another engine',
      () => Promise.resolve(readEngine(this.home)?.pid ?? null),
      (next) => next !== null && next !== pid,
      patience,
    )
    await until(
      'its answer',
      () => this.fleet.run('ls'),
      ({ code }) => code === 0,
      patience,
    )
    await this.reconnect()
  }

  usage(): { worker: Usage; engine: Usage; tmux: Usage } {
    return {
      worker: usageOf(this.fleet.workerPid() ?? -1),
      engine: usageOf(readEngine(this.home)?.pid ?? -1),
      tmux: this.#tmuxUsage(),
    }
  }

  /** Before the first session there is no tmux server, and it has used nothing. */
  #tmuxUsage(): Usage {
    if (!existsSync(this.fleet.tmuxSocket)) return { cpu: 0, rss: 0 }
    return usageOf(Number(this.fleet.tmux('display-message', '-p', '#{pid}')))
  }

  /** How often the product has called tmux so far; only if calls are counted. */
  tmuxCalls(): number {
    return statSync(callsFile(this.fleet), { throwIfNoEntry: false })?.size ?? 0
  }

  /**
   * Events and bytes of a workflow's history so far, over all its runs: during a herd the pool may begin a
   * new one.
   */
  async history(workflowId: string): Promise<{ events: number; bytes: number }> {
    const sum = { events: 0, bytes: 0 }
    for await (const { runId } of this.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      const { historyLength, historySize } = await this.client.workflow
        .getHandle(workflowId, runId)
        .describe()
      sum.events += historyLength
      sum.bytes += historySize ?? 0
    }
    return sum
  }

  sessionHistory(name: string): Promise<{ events: number; bytes: number }> {
    return this.history(sessionWorkflowId(name))
  }

  poolHistory(): Promise<{ events: number; bytes: number }> {
    return this.history(poolWorkflowId('main'))
  }

  async close(): Promise<void> {
    await this.#connection.close()
    await this.fleet.close()
  }
}

const callsFile = (fleet: Fleet): string => join(fleet.dir, 'tmux-calls')

/** Puts a tmux before the real one, on the product's PATH, that writes one byte for each call. */
function countTmux(fleet: Fleet): void {
  const real = execFileSync('/bin/sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim()
  const folder = join(fleet.dir, 'counted')
  mkdirSync(folder)
  const lines = ['#!/bin/sh', `printf . >> '${callsFile(fleet)}'`, `exec '${real}' "$@"`, '']
  writeFileSync(join(folder, 'tmux'), lines.join('\n'), { mode: 0o755 })
  fleet.env['PATH'] = [folder, fleet.env['PATH'] ?? ''].join(delimiter)
}

const usualReset = 3 * 3_600_000

function putWall(fleet: Fleet, account: string, resetsIn = usualReset): void {
  const resets = Math.floor((Date.now() + resetsIn) / 1000)
  writeFileSync(stubFile(fleet, account, 'wall'), `${new Date().toISOString()} ${resets}\n`)
  writeFileSync(stubFile(fleet, account, 'used'), '100\n')
}

/** The files that control an account's stub agents (bench/stub/README.md). */
function stubFile(fleet: Fleet, account: string, name: string): string {
  const folder = join(fleet.dir, 'logins', account, 'stub')
  mkdirSync(folder, { recursive: true })
  return join(folder, name)
}

const callNow = <T>(_ms: number, calls: () => Promise<T>): Promise<T> => calls()

export const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `s-${index + 1}`)

/** Up, with all accounts known. */
export async function openStubFleet({
  accounts,
  walled = [],
  maxSessions,
  startRounds = 0,
  probeEvery = '20s',
  counted = false,
  env = {},
}: StubFleetOptions): Promise<StubFleet> {
  const fleet = await startFleet({
    accounts,
    agent: { command: stub, env: { STUB_START_ROUNDS: String(startRounds) } },
    accountConfig: Object.fromEntries(accounts.map((name) => [name, { maxSessions }])),
    // A call that starts an agent may take minutes when 500 do.
    config: {
      timing: { probeEvery, startWithin: '10m', stopGrace: '10s' },
      env: { pass: Object.keys(env) },
    },
  })
  Object.assign(fleet.env, env)
  try {
    for (const account of walled) putWall(fleet, account)
    if (counted) countTmux(fleet)
    await fleet.up()
    const endpoint = readEngine(openHome(fleet.env))
    const connection = await Connection.connect({ address: endpoint?.address ?? '' })
    const opened = new StubFleet(fleet, connection, endpoint?.namespace ?? 'default')
    await opened.untilState((name) => (walled.includes(name) ? 'walled' : 'ready'))
    return opened
  } catch (error) {
    console.error(readFileSync(join(fleet.dir, 'up.log'), 'utf8'))
    await fleet.close()
    throw error
  }
}
