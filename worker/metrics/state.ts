/** The gauges: how the fleet is at the moment of a collection. What the engine has to be asked for is missing while it does not answer. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Client } from '@temporalio/client'
import type { Sampler } from '../../activities/watch/sampler.js'
import type { Config } from '../../config/config.js'
import type { Host } from '../../host/host.js'
import { applyReading, newRecord } from '../../policy/account/accountRecord.js'
import type { AccountFacts, AccountSpec, AccountState } from '../../policy/account/account.js'
import { accountRow } from '../../policy/account/accountRow.js'
import { poolWorkflowId, searchAttributes } from '../../policy/ids.js'
import type { PoolView } from '../../policy/pool/lease.js'
import { type Phase, phases } from '../../policy/session/session.js'
import { poolQueries } from '../../workflows/messages.js'
import { catalog } from './catalog.js'
import { BoundedNames, type Observe } from './instruments.js'
import type { ParkedSessions } from './parkedSessions.js'

export interface StateSources {
  host: Host
  sampler: Sampler
  client: Client
}

/** A scraper waits for the answer: what is not known by then is left out of it. Milliseconds. */
const engineAnswersWithin = 2_000
/** Several readers may collect at the same time: the engine is asked once for all of them. Milliseconds. */
const engineStateFor = 2_000
/** The delay of the event loop is that of the last interval of this length. Milliseconds. */
const delayInterval = 10_000

interface EngineState {
  /** Sessions by the phase that their workflow shows. */
  phases: Map<string, number>
  pool: PoolView
}

const accountStates = Object.keys({
  ...{ ready: 0, 'near-limit': 0, walled: 0, unproven: 0, 'logged-out': 0, duplicate: 0, disabled: 0 },
} satisfies Record<AccountState, 0>)

export class StateMetrics {
  readonly #sources: StateSources
  readonly #parked: ParkedSessions
  readonly #windowNames = new BoundedNames()
  readonly #loop = new LoopDelay()
  /** Whether the engine has answered the last check of its connection. */
  isEngineUp = true
  #engine: { at: number; state: Promise<EngineState | null> } | null = null

  constructor(sources: StateSources, parked: ParkedSessions) {
    this.#sources = sources
    this.#parked = parked
  }

  stop(): void {
    this.#loop.stop()
  }

  async observe(observe: Observe): Promise<void> {
    const { host, sampler } = this.#sources
    const engine = await this.#engineState()
    this.#observePhases(observe, engine)
    this.#observeAccounts(observe, engine?.pool ?? null)
    observe(catalog.longestPark, (await this.#parked.longest(Date.now())) / 1_000, {})
    observe(catalog.queues, host.moveLimiter.waiting, { queue: 'moves' })
    observe(catalog.queues, host.startLimiter.waiting, { queue: 'starts' })
    if (engine !== null) observe(catalog.queues, engine.pool.waitlist.length, { queue: 'pool' })
    observe(catalog.sampleAge, sampler.sampleAge / 1_000, {})
    observe(catalog.engineUp, this.isEngineUp ? 1 : 0, {})
    for (const [quantile, seconds] of this.#loop.read()) observe(catalog.loopDelay, seconds, { quantile })
  }

  /** The watches see first which session works and which rests; everything else is known to the workflows only. */
  #observePhases(observe: Observe, engine: EngineState | null): void {
    const watched = countOf(this.#sources.sampler.phases())
    for (const phase of phases) {
      if (phase === 'stopped') continue
      const seen = watched.get(phase) ?? 0
      const shown = engine?.phases.get(phase) ?? 0
      if (phase === 'working' || phase === 'idle') observe(catalog.sessions, seen, { phase })
      else if (engine !== null) observe(catalog.sessions, Math.max(seen, shown), { phase })
    }
  }

  #observeAccounts(observe: Observe, pool: PoolView | null): void {
    const { config } = this.#sources.host
    const now = new Date()
    const facts = accountSpecs(config).map((spec) => this.#facts(spec, pool, now))
    for (const one of facts) {
      const row = accountRow(one, config.pool.moveAt, now.toISOString(), facts, config.timing)
      const { name: account, role } = row
      for (const state of accountStates)
        observe(catalog.accountState, state === row.state ? 1 : 0, { account, role, state })
      if (pool !== null && role !== 'reserved') observe(catalog.leases, row.leases.length, { account, role })
      for (const { name, used, resetsAt, readAt } of row.windows) {
        const labels = { account, role, window: this.#windowNames.of(name) }
        const left = resetsAt === null ? null : Date.parse(resetsAt) - now.getTime()
        observe(catalog.windowAge, Math.max(0, now.getTime() - Date.parse(readAt)) / 1_000, labels)
        if (left === null || left > 0) observe(catalog.windowUsed, used, labels)
        if (left !== null) observe(catalog.windowReset, Math.max(0, left) / 1_000, labels)
      }
    }
  }

  /** What the pool knows of the account, else what this host has read of it. */
  #facts(spec: AccountSpec, pool: PoolView | null, now: Date): AccountFacts {
    const known = pool?.accounts.find(({ name, role }) => name === spec.name && role === spec.role)
    if (known !== undefined) return known
    const { host } = this.#sources
    const read = applyReading(newRecord(spec), host.reading(spec.name), host.config.timing, now.getTime())
    return { ...read, leases: [] }
  }

  #engineState(): Promise<EngineState | null> {
    const now = performance.now()
    if (this.#engine === null || now - this.#engine.at > engineStateFor)
      this.#engine = { at: now, state: this.#askEngine().catch(() => null) }
    return this.#engine.state
  }

  async #askEngine(): Promise<EngineState> {
    const { client, host } = this.#sources
    const running = `WorkflowType = 'session' AND ExecutionStatus = 'Running' AND ${searchAttributes.host} = '${host.home.hostId}'`
    const count = async (phase: Phase): Promise<[string, number]> => {
      const counted = await client.workflow.count(`${running} AND ${searchAttributes.phase} = '${phase}'`)
      return [phase, counted.count]
    }
    return client.withDeadline(Date.now() + engineAnswersWithin, async () => {
      const handle = client.workflow.getHandle(poolWorkflowId(host.config.pool.name))
      const [pool, ...counts] = await Promise.all([
        handle.query(poolQueries.describe),
        ...shownByWorkflows.map(count),
      ])
      return { pool, phases: new Map(counts) }
    })
  }
}

const shownByWorkflows = phases.filter((phase) => !['working', 'idle', 'stopped'].includes(phase))

function countOf(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

const accountSpecs = ({ pool, reserved, substrates }: Config): AccountSpec[] => [
  ...pool.accounts.map(({ name, ceiling, maxSessions, drain }) => ({
    ...{ name, role: 'pool' as const, ceiling, maxSessions, drain },
  })),
  ...reserved.map(({ name, ceiling, maxSessions }) => ({
    ...{ name, role: 'reserved' as const, ceiling, maxSessions },
  })),
  ...substrates.map(({ name, maxSessions }) => ({
    ...{ name, role: 'substrate' as const, ceiling: 1, maxSessions },
  })),
]

/** The delay of this process's event loop, interval by interval. */
class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: 20 })
  readonly #timer: NodeJS.Timeout
  #last: [quantile: string, seconds: number][] | null = null

  constructor() {
    this.#histogram.enable()
    this.#timer = setInterval(() => {
      this.#last = this.#now()
      this.#histogram.reset()
    }, delayInterval).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#histogram.disable()
  }

  /** Of the last whole interval; before the first one has ended, of the time until now. */
  read(): [quantile: string, seconds: number][] {
    return this.#last ?? this.#now()
  }

  #now(): [quantile: string, seconds: number][] {
    const { max } = this.#histogram
    return [
      ['0.5', this.#histogram.percentile(50) / 1e9],
      ['0.99', this.#histogram.percentile(99) / 1e9],
      ['1', max / 1e9],
    ]
  }
}
