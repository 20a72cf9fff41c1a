/**
 * Law 2: the pool is drained again and again, and every session starts again, over days of virtual time
 * through the real workflows. The seeds are spread over several files, so that both cores are busy; most of
 * the files are in `test/nightly`. A failing seed is printed. OUTPOOL_DRAIN_SEEDS=seed-7,away-9 runs only
 * those, in the first file of each kind; OUTPOOL_DRAIN_SEEDS=200 runs that many of each, and
 * OUTPOOL_DRAIN_DAYS=3 only that many days.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultTiming } from '../../../policy/account/account.js'
import { commonQueue, poolWorkflowId, sessionWorkflowId } from '../../../policy/ids.js'
import { poolSignals, sessionSignals, type SessionStart } from '../../../workflows/messages.js'
import { Random } from '../../policy/drain/random.js'
import { profiles, type WorldOptions } from '../../policy/drain/population.js'
import { poolSettings } from '../../policy/drain/settings.js'
import { day, hour } from '../../policy/drain/spans.js'
import { TestServer } from '../harness/testServer.js'
import { DrainHost } from './host.js'

/** A kind of drain: the beginning of its seeds' names, and their world. */
interface DrainProfile {
  prefix: string
  /** How many seeds each file runs by default. */
  seeds: readonly number[]
  days: number
  world: (n: number) => Omit<WorldOptions, 'seed' | 'start' | 'days'>
  /** The workers of the hosts are restarted in the middle. */
  restarts: boolean
  /**
   * In the first part only this many workflows are cached, and the others are rebuilt from history all the
   * time, which is expensive.
   */
  remembered?: number
  /** How often sessions leave a spent account or substrate, on average over the seeds, at least. */
  leaves: number
  /** Virtual hours between texts, at least; at most three times as many. */
  pause: number
}

/**
 * The pool alone. It is less loaded than in the simulator, where an event costs microseconds: accounts run dry every other
 * day, not every other hour.
 */
const crowdedProfile: DrainProfile = {
  prefix: 'seed',
  seeds: [1, 4, 3, 4],
  days: 10,
  restarts: false,
  world: () => ({ accounts: 4, sessions: 12, load: 0.55 }),
  leaves: 2,
  pause: 6,
}

/** Few and calm, for a month, with substrates behind them. */
const substrateProfile: DrainProfile = {
  prefix: 'away',
  // The first file, which every `npm test` runs, has one of the openings; the simulator's drains have all of them.
  seeds: [1, 5, 4, 5, 5],
  days: 30,
  world: (n) => ({
    ...{ accounts: 2, sessions: 3, substrates: 2, load: 0.4 },
    profile: profiles[n % profiles.length]!,
  }),
  restarts: true,
  remembered: 16,
  leaves: 5,
  pause: 18,
}

/** Defines the tests of a file: `part` is its number, from 0. */
export const drainAccounts = (part: number): void => drainPart(crowdedProfile, part)
export const drainFallback = (part: number): void => drainPart(substrateProfile, part)

function seedsOf({ prefix, seeds }: DrainProfile, part: number): string[] {
  const requested = process.env['OUTPOOL_DRAIN_SEEDS']
  const named = (first: number, count: number): string[] =>
    Array.from({ length: count }, (_, n) => `${prefix}-${first + n}`)
  const before = seeds.slice(0, part).reduce((sum, count) => sum + count, 0)
  if (requested === undefined) return named(before + 1, seeds[part]!)
  const count = Number(requested)
  if (!Number.isNaN(count)) return named(1, count).filter((_, index) => index % seeds.length === part)
  return part === 0 ? requested.split(',').filter((seed) => seed.startsWith(`${prefix}-`)) : []
}

function drainPart(profile: DrainProfile, part: number): void {
  const seeds = seedsOf(profile, part)
  // A file without seeds would fail for having no test.
  if (seeds.length === 0) it('law 2: no seed of this part was asked for', () => undefined)
  else
    describe('law 2: the pool is drained', () =>
      drainSeeds(profile, seeds, part === 0 ? profile.remembered : undefined))
}

function drainSeeds(profile: DrainProfile, seeds: string[], remembered?: number): void {
  const days = Number(process.env['OUTPOOL_DRAIN_DAYS'] ?? profile.days)
  /** Real time for all seeds; past it, something hangs. */
  const bound = seeds.length * days * 60_000
  let testServer: TestServer
  let drains: Drain[]
  // All at once: the server has one clock, and one seed can use the time that another waits.
  beforeAll(async () => {
    testServer = await TestServer.open(remembered === undefined ? {} : { maxCachedWorkflows: remembered })
    drains = await Promise.all(seeds.map((seed) => Drain.open(testServer, worldOf(profile, seed, days))))
    for (const drain of drains) await drain.begin()
    const { end } = drains[0]!.host.world
    const random = new Random('pace')
    const middle = end - (days / 2) * day
    for (let now = await testServer.now(); now < end - 2 * hour; now = await testServer.now()) {
      await testServer.advance(
        Math.min(random.between(profile.pause, 3 * profile.pause) * hour, end - hour - now),
      )
      const isPast = now < middle
      now = await testServer.now()
      for (const drain of drains) await drain.advance(now)
      if (profile.restarts && isPast && now >= middle) await testServer.restartHosts()
    }
    await testServer.advance(hour / 2)
  }, bound)
  afterAll(async () => {
    for (const drain of drains) await drain.close()
    await testServer.close()
    if (process.env['OUTPOOL_DRAIN_COUNTS'])
      for (const { host, events } of drains)
        console.log(
          JSON.stringify({
            ...host.counts,
            events,
            longestNeglect: host.oracle.longestNeglect,
            ...host.oracle.fallbackLaws.counts,
          }),
        )
  })

  it.each(seeds.map((seed, index) => ({ seed, index })))('law 2: $seed', ({ seed, index }) => {
    const drain = drains[index]!
    drain.checkTexts()
    expect(drain.host.violations, `OUTPOOL_DRAIN_SEEDS=${seed} shows it again`).toEqual([])
  })

  it('the pool ran dry, or nothing would be proven', () => {
    // Seeds and days that were chosen by hand need not be dry ones.
    const isWhole = process.env['OUTPOOL_DRAIN_SEEDS'] === undefined && days === profile.days
    const moves = drains.map(({ host: { counts } }) => counts.walls + counts.planned)
    const least = isWhole ? profile.leaves * seeds.length : 0
    expect(moves.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(least)
  })
}

function worldOf({ world }: DrainProfile, seed: string, days: number): Omit<WorldOptions, 'start'> {
  return { ...world(Number(seed.split('-')[1])), seed, days }
}

class Drain {
  readonly host: DrainHost
  readonly #testServer: TestServer
  readonly #random: Random
  readonly events: number[] = []
  readonly #sent = new Map<string, string[]>()

  private constructor(testServer: TestServer, seed: string, host: DrainHost) {
    this.#testServer = testServer
    this.#random = new Random(`${seed}/texts`)
    this.host = host
  }

  static async open(testServer: TestServer, world: Omit<WorldOptions, 'start'>): Promise<Drain> {
    const start = await testServer.now()
    const host = new DrainHost(`drain-${world.seed}`, { ...world, start }, defaultTiming)
    await testServer.addHost(host)
    return new Drain(testServer, world.seed, host)
  }

  get #workflows() {
    return this.#testServer.client.workflow
  }

  get workflowIds(): string[] {
    const { world, pool } = this.host
    return [
      ...world.sessions.map(({ name }) => sessionWorkflowId(this.host.nameOf(name))),
      poolWorkflowId(pool),
    ]
  }

  async begin(): Promise<void> {
    await this.#startPool()
    for (const { name, model, fallback } of this.host.world.sessions)
      await this.#startSession(name, model, fallback)
  }

  /** Some time has passed: checks the world, and sends one session a text. */
  async advance(now: number): Promise<void> {
    const { host } = this
    host.advanceTo(now)
    const { sessions } = host.world
    const session = sessions[Math.floor(this.#random.between(0, sessions.length))]!
    await this.#send(session.name)
  }

  /** Every text arrived once and in order, except those of sessions that have been parked since. */
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
    const settings = poolSettings(pool, hostId, world, defaultTiming)
    await this.#workflows.signalWithStart('pool', {
      workflowId: poolWorkflowId(pool),
      taskQueue: commonQueue,
      args: [settings],
      signal: poolSignals.configure,
      signalArgs: [settings],
    })
  }

  async #startSession(session: string, model: string, fallback: string[] | null): Promise<void> {
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
      fallback,
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
    for (const id of this.workflowIds) {
      const handle = this.#workflows.getHandle(id)
      if (process.env['OUTPOOL_DRAIN_COUNTS']) this.events.push((await handle.describe()).historyLength)
      await handle.terminate('the drain is over').catch(() => undefined)
    }
  }
}
