/**
 * A seeded month of a fleet, in virtual time: people and loops with the rhythms of their weeks, bursts of work, days off, and a demand
 * that drifts. Sessions burn the windows of their account and leave it near its limit. Instants are milliseconds since the epoch.
 */
import type { Window } from '../../../policy/account/account.js'
import { iso } from '../../../policy/instants.js'
import { Random } from '../drain/random.js'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
export const step = 5 * minute
export const monthStart = Date.UTC(2026, 10, 2)
export const monthDays = 30
export const limit = 0.95

type Rhythm = 'office' | 'evening' | 'night' | 'always'

interface Worker {
  account: string | null
  rhythm: Rhythm
  /** When its day begins, in hours of UTC. */
  begins: number
  /** Share of a five-hour window per hour of work. */
  rate: number
  /** The mean length of its bursts, and how much of its hours it works. */
  burst: number
  busy: number
  drift: number
  isOff: boolean
  /** The rate of the burst that goes on, or null. */
  burning: number | null
}

export interface WorldAccount {
  name: string
  windows: { name: string; used: number; resetsAt: number | null; length: number; weight: number }[]
  sessions: number
}

/** Normal, by the sum of uniform numbers. */
const normal = (random: Random): number => {
  let sum = -6
  for (let index = 0; index < 12; index++) sum += random.next()
  return sum
}

export class UsageWorld {
  now = monthStart
  readonly accounts: WorldAccount[]
  readonly #random: Random
  readonly #workers: Worker[]

  constructor(seed: string) {
    const random = new Random(seed)
    this.#random = random
    const accounts = 1 + Math.floor(random.between(0, 5))
    const weekly = random.between(0.04, 0.12)
    this.accounts = Array.from({ length: accounts }, (_, index) => ({
      name: `max-${index + 1}`,
      sessions: 0,
      windows: [
        { name: 'five_hour', used: 0, resetsAt: null, length: 5 * hour, weight: 1 },
        {
          ...{ name: 'seven_day', used: 0, length: 7 * day, weight: weekly },
          resetsAt: monthStart + Math.floor(random.between(1, 7 * 24)) * hour,
        },
      ],
    }))
    const workers = accounts * (1 + Math.floor(random.between(0, 5)))
    const load = random.between(0.25, 1.1) / Math.max(1, workers / accounts)
    this.#workers = Array.from({ length: workers }, () => makeWorker(random, load))
  }

  /** Five minutes pass. */
  advance(): void {
    if ((this.now - monthStart) % day === 0) for (const worker of this.#workers) this.#newDay(worker)
    for (const account of this.accounts) {
      account.sessions = 0
      for (const window of account.windows)
        if (window.resetsAt !== null && window.resetsAt <= this.now) reset(window, this.now)
    }
    for (const worker of this.#workers) {
      const account = this.#accountOf(worker)
      if (account === null) continue
      account.sessions++
      const burn = this.#work(worker) * (step / hour)
      if (burn > 0) for (const window of account.windows) use(window, burn * window.weight, this.now)
    }
    this.now += step
  }

  /** What Outpool reads: whole percents. */
  readings({ windows }: WorldAccount): Window[] {
    return windows.map(({ name, used, resetsAt }) => ({
      ...{ name, used: Math.floor(used * 100) / 100, readAt: iso(this.now), source: 'usage-probe' as const },
      resetsAt: resetsAt === null || resetsAt <= this.now ? null : iso(resetsAt),
    }))
  }

  #newDay(worker: Worker): void {
    const random = this.#random
    worker.drift *= Math.exp(0.12 * normal(random))
    worker.drift = Math.min(3, Math.max(0.3, worker.drift))
    worker.isOff = random.chance(0.06)
  }

  /** Near a limit a session goes to the account with the most room; if there is none, it waits. */
  #accountOf(worker: Worker): WorldAccount | null {
    const current = this.accounts.find(({ name }) => name === worker.account)
    if (current !== undefined && usedOf(current) < limit) return current
    const open = this.accounts.filter((account) => usedOf(account) < limit)
    const rank = (account: WorldAccount): number => usedOf(account) + 0.1 * account.sessions
    const best = open.sort((a, b) => rank(a) - rank(b))[0] ?? null
    worker.account = best?.name ?? null
    return best
  }

  /** The share of a five-hour window per hour that the worker burns now. */
  #work(worker: Worker): number {
    const random = this.#random
    if (worker.burning !== null) {
      if (random.chance(step / worker.burst)) worker.burning = null
    } else {
      const idle = (worker.burst * (1 - worker.busy)) / worker.busy
      if (this.#isAtWork(worker) && random.chance(step / idle))
        worker.burning = worker.rate * worker.drift * Math.exp(0.5 * normal(random))
    }
    return worker.burning ?? 0
  }

  #isAtWork({ rhythm, begins, isOff }: Worker): boolean {
    const hours = Math.floor(this.now / hour)
    const weekday = (Math.floor(hours / 24) + 4) % 7
    const since = (hours - begins + 24) % 24
    if (rhythm === 'always') return true
    if (isOff) return false
    if (rhythm === 'night') return since < 7
    if (rhythm === 'evening') return since < 5 || weekday === 0 || weekday === 6
    return weekday !== 0 && weekday !== 6 && since < 9
  }
}

const usedOf = ({ windows }: WorldAccount): number => Math.max(...windows.map(({ used }) => used))

function use(window: WorldAccount['windows'][number], share: number, now: number): void {
  window.resetsAt ??= now + window.length
  window.used = Math.min(1, window.used + share)
}

function reset(window: WorldAccount['windows'][number], now: number): void {
  window.used = 0
  window.resetsAt = window.name === 'five_hour' ? null : now + window.length
}

function makeWorker(random: Random, load: number): Worker {
  const rhythms: Rhythm[] = ['office', 'office', 'evening', 'night', 'always']
  const rhythm = rhythms[Math.floor(random.between(0, rhythms.length))] ?? 'office'
  const begins = {
    office: random.between(7, 11),
    evening: random.between(17, 20),
    night: random.between(0, 3),
    always: 0,
  }
  const busy = random.between(0.3, 0.8)
  return {
    ...{
      account: null,
      rhythm,
      begins: Math.floor(begins[rhythm]),
      busy,
      drift: 1,
      isOff: false,
      burning: null,
    },
    rate: (load * Math.exp(0.4 * normal(random)) * 0.35) / busy,
    burst: random.between(15, 150) * minute,
  }
}
