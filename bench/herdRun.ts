/**
 * One herd: every session of a group of accounts walled at once, and how each starts again on the other
 * group.
 */
import { execFile } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Arrivals } from './arrivals.js'
import { median, quantile, timed } from './harness.js'
import { names, openStubFleet, type StubFleet } from './stubFleet.js'

/** Two groups of this many accounts; one group holds exactly the whole fleet. */
const accountsPerGroup = 5
/** The history of this many sessions is read before and after. */
const sampled = 10
/** A person runs the list this often while the herd goes on. */
const pollEvery = 2_000
const patience = 30 * 60_000

export interface HerdRun {
  /** When each session's replacement ran, in ms after the walls; ascending. */
  up: number[]
  /** CPU in ms for each rescue. */
  cpu: { worker: number; engine: number; tmux: number }
  /** Events of a session's history for its rescue, and of the pool's for all of them. */
  events: { session: number; pool: number }
  bytes: { session: number; pool: number }
  /** How much the database grew for each rescue, in KB. */
  databaseKb: number
  /** Sessions that started more than one process. */
  doubles: number
  /** Sessions beyond what their accounts may hold. */
  aboveLimit: number
  /** How long `outpool ls` took meanwhile, and the same runtime started empty, in turn; in ms. */
  ls: { product: number[]; floor: number[] }
}

export class Herd {
  readonly stub: StubFleet
  readonly sessions: number
  /** Of each account. */
  readonly limit: number
  #from: string[]
  #to: string[]

  constructor(stub: StubFleet, sessions: number, limit: number, from: string[], to: string[]) {
    this.stub = stub
    this.sessions = sessions
    this.limit = limit
    this.#from = from
    this.#to = to
  }

  /** Where the sessions are now. */
  agents(): ReturnType<StubFleet['agents']> {
    return this.stub.agents(this.#from)
  }

  /** The sessions that have started on the other group. */
  moved(): ReturnType<StubFleet['agents']> {
    return this.stub.agents(this.#to)
  }

  /** The accounts without sessions. */
  get free(): readonly string[] {
    return this.#to
  }

  /** The accounts with sessions. */
  get used(): readonly string[] {
    return this.#from
  }

  /**
   * Reports to every session that its account refuses; `resetsIn`: for how many ms, for an account that
   * should be back soon.
   */
  wallAll(resetsIn: Readonly<Record<string, number>> = {}): void {
    const agents = this.agents()
    for (const account of this.#from) this.stub.wall(account, resetsIn[account])
    for (const { pid } of agents) process.kill(pid, 'SIGUSR1')
  }

  /**
   * Walls them all, and waits until all are at rest elsewhere. `withLs`: while a person runs `outpool ls`
   * again and again.
   */
  async run({ withLs }: { withLs: boolean }): Promise<HerdRun> {
    const { stub, sessions } = this
    const sample = names(sessions).slice(0, sampled)
    const count = (): Promise<{ events: number; bytes: number }[]> =>
      Promise.all(sample.map((name) => stub.sessionHistory(name)))
    const before = { histories: await count(), pool: await stub.poolHistory() }
    const agents = this.agents()
    if (agents.length !== sessions) throw new Error(`${agents.length} agents run, of ${sessions} sessions`)
    const start = { usage: stub.usage(), database: databaseKb(stub) }
    const arrivals = new Arrivals(this.#to.map((account) => stub.configDir(account)))
    const sampler = withLs ? new LsSampler(stub) : null
    const from = performance.now()
    this.wallAll()
    await untilAll(arrivals, sessions)
    const ls = (await sampler?.end()) ?? { product: [], floor: [] }
    await stub.untilAtRest(sessions)
    const end = { usage: stub.usage(), database: databaseKb(stub) }
    const histories = await count()
    const pool = await stub.poolHistory()
    arrivals.close()
    const all = [...arrivals.all.values()]
    const perRescue = (part: 'worker' | 'engine' | 'tmux'): number =>
      (end.usage[part].cpu - start.usage[part].cpu) / sessions
    const grown = (what: 'events' | 'bytes'): number =>
      median(histories.map((history, index) => history[what] - (before.histories[index]?.[what] ?? 0)))
    const held = this.#to.map((account) => stub.agents([account]).length)
    const run: HerdRun = {
      up: firstOfEach(all).map((at) => at - from),
      cpu: { worker: perRescue('worker'), engine: perRescue('engine'), tmux: perRescue('tmux') },
      events: { session: grown('events'), pool: pool.events - before.pool.events },
      bytes: { session: grown('bytes'), pool: pool.bytes - before.pool.bytes },
      databaseKb: (end.database - start.database) / sessions,
      doubles: all.length - arrivals.sessions,
      aboveLimit: held.reduce((sum, here) => sum + Math.max(0, here - this.limit), 0),
      ls,
    }
    const walled = this.#from
    ;[this.#from, this.#to] = [this.#to, this.#from]
    await stub.lift(walled)
    return run
  }

  close(): Promise<void> {
    return this.stub.close()
  }
}

/** A fleet at rest on the first group of accounts, with all of the second group free. */
export async function openHerd(sessions: number, startRounds = 0): Promise<Herd> {
  const group = (letter: string): string[] =>
    Array.from({ length: accountsPerGroup }, (_, index) => `${letter}-${index + 1}`)
  const [first, second] = [group('a'), group('b')]
  const maxSessions = Math.ceil(sessions / accountsPerGroup)
  const stub = await openStubFleet({
    accounts: [...first, ...second],
    walled: second,
    maxSessions,
    startRounds,
  })
  try {
    await stub.start(names(sessions))
    await stub.lift(second)
    return new Herd(stub, sessions, maxSessions, first, second)
  } catch (error) {
    await stub.close()
    throw error
  }
}

export const lastOf = ({ up }: HerdRun): number => Math.max(...up)

/** `p50 8.1 s, p95 14.0 s, last 15.2 s` */
export const spread = (up: readonly number[]): string =>
  [
    `p50 ${seconds(quantile(up, 0.5))}`,
    `p95 ${seconds(quantile(up, 0.95))}`,
    `last ${seconds(Math.max(...up))}`,
  ].join(', ')

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

async function untilAll(arrivals: Arrivals, sessions: number): Promise<void> {
  const end = performance.now() + patience
  while (arrivals.sessions < sessions) {
    if (performance.now() > end)
      throw new Error(`${arrivals.sessions} of ${sessions} sessions are running again`)
    await delay(100)
  }
}

function firstOfEach(all: readonly { sessionId: string; at: number }[]): number[] {
  const first = new Map<string, number>()
  for (const { sessionId, at } of all) first.set(sessionId, Math.min(at, first.get(sessionId) ?? at))
  return [...first.values()].sort((a, b) => a - b)
}

/** The database, including its write-ahead log. */
const databaseKb = ({ home }: StubFleet): number =>
  ['', '-wal']
    .map((part) => home.database + part)
    .reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size / 1024 : 0), 0)

/** A person who runs the list again and again. */
class LsSampler {
  readonly #times: HerdRun['ls'] = { product: [], floor: [] }
  readonly #sampling: Promise<void>
  #isOver = false

  constructor(stub: StubFleet) {
    this.#sampling = this.#sample(stub)
  }

  async end(): Promise<HerdRun['ls']> {
    this.#isOver = true
    await this.#sampling
    return this.#times
  }

  async #sample({ fleet }: StubFleet): Promise<void> {
    const empty = join(fleet.dir, 'empty.mjs')
    writeFileSync(empty, '')
    while (!this.#isOver) {
      this.#times.floor.push(await timed(() => execute(process.execPath, [empty])))
      this.#times.product.push(await timed(() => list(fleet)))
      await delay(pollEvery)
    }
  }
}

const execute = promisify(execFile)

async function list(fleet: StubFleet['fleet']): Promise<void> {
  const { code, stderr } = await fleet.run('ls', '--json')
  if (code !== 0) console.error(`  outpool ls ended with ${String(code)}: ${stderr}`)
}
