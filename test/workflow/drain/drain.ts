/**
 * Law 2, first half: the pool is drained again and again, and every session gets up again. Four accounts, twelve sessions,
 * days of virtual time, through the real workflows. The seeds are shared out over seven files, so that both cores are busy.
 *
 * A failing seed is printed; OUTPOOL_DRAIN_SEEDS=seed-7,seed-9 runs only those, OUTPOOL_DRAIN_SEEDS=200 as many, and
 * OUTPOOL_DRAIN_DAYS=3 a part of the fortnight.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultTiming } from '../../../policy/account.js'
import { commonQueue, poolWorkflowId, sessionWorkflowId } from '../../../policy/ids.js'
import type { PoolSettings } from '../../../policy/lease.js'
import { poolSignals, sessionSignals, type SessionStart } from '../../../workflows/messages.js'
import { Random } from '../../policy/drain/random.js'
import { Theatre } from '../harness/theatre.js'
import { DrainHost, moveAt } from './host.js'

const hour = 3_600_000
const days = Number(process.env['OUTPOOL_DRAIN_DAYS'] ?? 14)
const allSeeds = seedsIn(process.env['OUTPOOL_DRAIN_SEEDS'] ?? '20')

/** From their names, or from how many there shall be. */
function seedsIn(asked: string): string[] {
  const count = Number(asked)
  return Number.isNaN(count) ? asked.split(',') : Array.from({ length: count }, (_, n) => `seed-${n + 1}`)
}

/** Defines the tests of every `parts`-th seed, beginning with number `part`. */
export function drainPart(part: number, parts: number): void {
  const seeds = allSeeds.filter((_, index) => index % parts === part)
  // A file without seeds would fail for having no test.
  if (seeds.length === 0) it('law 2: no seed of this part was asked for', () => undefined)
  else describe('law 2: the pool is drained', () => drainSeeds(seeds))
}

function drainSeeds(seeds: string[]): void {
  /** Real time for all seeds; past it, something hangs. */
  const bound = seeds.length * days * 60_000
  let theatre: Theatre
  let drains: Drain[]
  // All at once: time is one for the whole server, and what one seed waits for another can use.
  beforeAll(async () => {
    theatre = await Theatre.open({ inOneThread: true })
    drains = await Promise.all(seeds.map((seed) => Drain.open(theatre, seed)))
    for (const drain of drains) await drain.begin()
    const { end } = drains[0]!.host.world
    const random = new Random('pace')
    for (let now = await theatre.now(); now < end - 2 * hour; now = await theatre.now()) {
      await theatre.pass(Math.min(random.between(6, 18) * hour, end - hour - now))
      now = await theatre.now()
      for (const drain of drains) await drain.goOn(now)
    }
    await theatre.pass(hour / 2)
  }, bound)
  afterAll(async () => {
    for (const drain of drains) await drain.close()
    if (process.env['OUTPOOL_DRAIN_COUNTS'])
      for (const { host, events } of drains)
        console.log(JSON.stringify({ ...host.counts, events, longestNeglect: host.oracle.longestNeglect }))
    await theatre.close()
  })

  it.each(seeds.map((seed, index) => ({ seed, index })))('law 2: $seed', ({ seed, index }) => {
    const drain = drains[index]!
    drain.checkTexts()
    const { counts, violations } = drain.host
    expect(violations, `OUTPOOL_DRAIN_SEEDS=${seed} shows it again`).toEqual([])
    // A drain in which nothing ran dry would prove nothing; a few days need not run dry.
    if (days >= 14) expect(counts.walls + counts.planned).toBeGreaterThan(days)
  })
}

class Drain {
  readonly host: DrainHost
  readonly #theatre: Theatre
  readonly #random: Random
  readonly events: number[] = []
  readonly #worker: { close: () => Promise<void> }
  readonly #sent = new Map<string, string[]>()

  private constructor(
    theatre: Theatre,
    seed: string,
    host: DrainHost,
    worker: { close: () => Promise<void> },
  ) {
    this.#theatre = theatre
    this.#random = new Random(`${seed}/texts`)
    this.host = host
    this.#worker = worker
  }

  static async open(theatre: Theatre, seed: string): Promise<Drain> {
    const start = await theatre.now()
    const host = new DrainHost(seed, `drain-${seed}`, start, days, defaultTiming)
    return new Drain(theatre, seed, host, await theatre.addHost(host))
  }

  get #workflows() {
    return this.#theatre.client.workflow
  }

  async begin(): Promise<void> {
    await this.#startPool()
    for (const { name, model } of this.host.world.sessions) await this.#startSession(name, model)
  }

  /** Some time has passed: looks after it, and sends somebody a text. */
  async goOn(now: number): Promise<void> {
    const { host } = this
    host.passTo(now)
    const session = host.world.sessions[Math.floor(this.#random.between(0, 12))]!
    await this.#send(session.name)
  }

  /** Every text arrived once and in order, but for those of sessions that have been parked since. */
  checkTexts(): void {
    for (const [session, sent] of this.#sent) {
      const arrived = this.host.delivered.get(session) ?? []
      const expected = this.host.isRunning(session) ? sent : sent.slice(0, arrived.length)
      if (arrived.join() !== expected.join())
        this.host.violations.push(`${session}: sent ${sent.join()}, arrived ${arrived.join()} (law 5)`)
    }
  }

  async #startPool(): Promise<void> {
    const { world, hostId, pool } = this.host
    const settings: PoolSettings = {
      name: pool,
      moveAt,
      host: hostId,
      timing: defaultTiming,
      accounts: world.accounts.map(({ name, ceiling, maxSessions }) => ({
        name,
        role: 'pool',
        ceiling,
        maxSessions,
      })),
    }
    await this.#workflows.signalWithStart('pool', {
      workflowId: poolWorkflowId(pool),
      taskQueue: commonQueue,
      args: [settings],
      signal: poolSignals.configure,
      signalArgs: [settings],
    })
  }

  async #startSession(session: string, model: string): Promise<void> {
    const { host } = this
    const name = host.nameOf(session)
    const start: SessionStart = {
      name,
      pool: host.pool,
      sessionId: name,
      host: host.hostId,
      agent: 'claude-code',
      cwd: '/home/someone/project',
      model,
      account: null,
      pinned: false,
      priority: 5,
      prompt: null,
      continues: false,
      timing: defaultTiming,
    }
    host.begins(session)
    await this.#workflows.start('session', {
      workflowId: sessionWorkflowId(name),
      taskQueue: commonQueue,
      args: [start],
    })
  }

  async #send(session: string): Promise<void> {
    const sent = this.#sent.get(session) ?? []
    const id = `${session}/${sent.length + 1}`
    this.#sent.set(session, [...sent, id])
    const handle = this.#workflows.getHandle(sessionWorkflowId(this.host.nameOf(session)))
    await handle.signal(sessionSignals.send, { id, text: id })
  }

  async close(): Promise<void> {
    const { world, pool } = this.host
    const ids = [...world.sessions.map(({ name }) => sessionWorkflowId(this.host.nameOf(name)))]
    for (const id of [...ids, poolWorkflowId(pool)]) {
      const handle = this.#workflows.getHandle(id)
      if (process.env['OUTPOOL_DRAIN_COUNTS']) this.events.push((await handle.describe()).historyLength)
      await handle.terminate('the drain is over').catch(() => undefined)
    }
    await this.#worker.close()
  }
}
