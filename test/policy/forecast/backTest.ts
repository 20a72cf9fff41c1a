/** Compares forecasts with what follows, in seeded months, beside two simple predictors. */
import { accountForecast, type WindowForecast } from '../../../policy/forecast/accountForecast.js'
import {
  emptyUsageRecord,
  hourMs,
  recentRate,
  recordUsage,
  type UsageRecord,
} from '../../../policy/forecast/usageRecord.js'
import { windowLength } from '../../../policy/account/windows.js'
import { toMs } from '../../../policy/instants.js'
import { Random } from '../drain/random.js'
import { limit, monthDays, monthStart, step, UsageWorld, type WorldAccount } from './usageWorld.js'

const day = 24 * hourMs

export interface Case {
  window: string
  /** Days of record. */
  days: number
  at: number
  resetsAt: number
  forecast: WindowForecast
  /** When the window ran out; null if its reset came first. */
  actual: number | null
  /** What the simple predictors say, likewise. */
  lastHour: number | null
  linear: number | null
}

/** About so many cases for each month: instants at random, at each of them the windows in use of one account. */
export function backTest(seed: string, asked = 20): Case[] {
  const world = new UsageWorld(seed)
  const random = new Random(`${seed} asked`)
  const account = world.accounts[Math.floor(random.between(0, world.accounts.length))]
  if (account === undefined) throw new Error('a world has at least one account')
  let record = emptyUsageRecord(account.name)
  const instants = Array.from({ length: asked }, () =>
    Math.floor(random.between(2, monthDays - 1) * (day / step)),
  )
  const due = new Set(instants)
  const cases: Case[] = []
  let open: Case[] = []
  for (let tick = 0; tick < (monthDays * day) / step; tick++) {
    world.advance()
    const windows = world.readings(account)
    record = recordUsage(record, { at: world.now, sessions: account.sessions, windows, limit })
    open = open.filter((one) => !isSettled(one, world))
    if (!due.has(tick)) continue
    for (const { name } of account.windows) {
      const asked = caseOf(account, record, name, world)
      if (asked !== null) {
        cases.push(asked)
        open.push(asked)
      }
    }
  }
  // The month ended before these were decided.
  return cases.filter((one) => !open.includes(one))
}

const accountsOf = new WeakMap<Case, WorldAccount>()

function isSettled(one: Case, world: UsageWorld): boolean {
  const window = accountsOf.get(one)?.windows.find(({ name }) => name === one.window)
  if (window === undefined) return true
  if (world.now >= one.resetsAt + step) return true
  if (Math.floor(window.used * 100) / 100 < limit) return false
  one.actual = world.now
  return true
}

function caseOf(account: WorldAccount, record: UsageRecord, name: string, world: UsageWorld): Case | null {
  const window = world.readings(account).find((one) => one.name === name)
  if (window === undefined || window.resetsAt === null || window.used >= limit) return null
  const others = world.readings(account)
  if (others.some(({ used }) => used >= limit)) return null
  const [now, resetsAt] = [world.now, toMs(window.resetsAt)]
  const [forecast] = accountForecast(record, [window], limit, now)
  if (forecast === undefined) return null
  const room = limit - window.used
  const inWindow = (now - (resetsAt - windowLength(name))) / hourMs
  const one: Case = {
    ...{ window: name, days: (now - monthStart) / day, at: now, resetsAt, actual: null },
    forecast,
    lastHour: atRate(room, recentRate(record, name, now, 1) ?? 0, now, resetsAt),
    linear: atRate(room, window.used / Math.max(1 / 12, inWindow), now, resetsAt),
  }
  accountsOf.set(one, account)
  return one
}

function atRate(room: number, perHour: number, now: number, resetsAt: number): number | null {
  const at = now + (room / Math.max(1e-9, perHour)) * hourMs
  return at <= resetsAt ? at : null
}

export interface Verdict {
  cases: number
  /** Cases with an interval, and how many of them hold. */
  intervals: number
  held: number
  /** Cases in which "lasts until its reset" was said, and how often that was right. */
  saidLasts: number
  lasted: number
  /** Median errors in minutes, over the cases in which the window ran out or any predictor said that it would. */
  compared: number
  forecast: number
  lastHour: number
  linear: number
}

export function judge(cases: readonly Case[]): Verdict {
  const withInterval = cases.filter(({ forecast }) => forecast.from !== null)
  const without = cases.filter(({ forecast }) => forecast.from === null)
  const compared = cases.filter(
    ({ actual, forecast, lastHour, linear }) =>
      actual !== null || forecast.at !== null || lastHour !== null || linear !== null,
  )
  const median = (predicted: (one: Case) => number | null): number => {
    const errors = compared.map((one) =>
      Math.abs((predicted(one) ?? one.resetsAt) - (one.actual ?? one.resetsAt)),
    )
    return Math.round((errors.sort((a, b) => a - b)[Math.floor(errors.length / 2)] ?? 0) / 60_000)
  }
  return {
    cases: cases.length,
    intervals: withInterval.length,
    held: withInterval.filter(holds).length,
    saidLasts: without.length,
    lasted: without.filter(({ actual }) => actual === null).length,
    compared: compared.length,
    forecast: median(({ forecast }) => forecast.at),
    lastHour: median(({ lastHour }) => lastHour),
    linear: median(({ linear }) => linear),
  }
}

/** An interval without an end includes the reset. */
function holds({ forecast: { from, to }, actual }: Case): boolean {
  if (actual === null) return to === null
  return actual >= (from ?? Infinity) && actual <= (to ?? Infinity)
}
