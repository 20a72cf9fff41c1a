/**
 * When the accounts of a pool are used up together, and for how long: what all of them burned is taken on by those that have room.
 * Accounts count as equal. Instants are milliseconds since the epoch.
 */
import type { Window } from '../account/account.js'
import { announcedReset, outdatedSince, windowLength } from '../account/windows.js'
import { leastKnownHours } from './accountForecast.js'
import { estimateBurn, recentHours, type BurnEstimate } from './burnRate.js'
import { hourlyBurn, hourMs, recentBurn, type UsageRecord } from './usageRecord.js'

export interface PoolAccount {
  record: UsageRecord
  windows: readonly Window[]
  /** The share from which on sessions leave the account. */
  limit: number
}

interface DrySpell {
  /** From here on no account can take a session: the next one that needs one parks. */
  from: number
  /** When the first account resets; null if that is beyond the horizon. */
  until: number | null
}

export interface PoolForecast {
  /** The first dry spell, as expected; null if there is none within the horizon. */
  dry: DrySpell | null
  /** The start of the 80 % interval of its beginning, and its end; null: not within the horizon. */
  earliest: number | null
  latest: number | null
  /** All dry time within the horizon, as expected, in ms. */
  parked: number
  /** How many accounts would do, even if the fleet burns as much as it does in one week of ten; null: more than `accountsMax`. */
  accountsNeeded: number | null
}

export interface WhatIf {
  /** Accounts more (or less) than there are. */
  accounts: number
  /** Times the present work, such as 2 for twice as many sessions. */
  load: number
}

/** How far ahead a pool is foreseen: every window has reset by then. */
const poolHorizon = 7 * 24 * hourMs
const accountsMax = 100
const step = 10 * 60_000
const session = 'five_hour'
const weekly = 'seven_day'

/** Null if too little is recorded. */
export function poolForecast(
  accounts: readonly PoolAccount[],
  whatIf: WhatIf,
  now: number,
): PoolForecast | null {
  const records = accounts.map(({ record }) => record)
  const demand = demandOf(records, now)
  if (demand === null) return null
  const weeklyShare = ratioOf(records, now)
  const simulate = (p: number, extra: number): { first: DrySpell | null; parked: number } =>
    simulatePool(initialAccounts(accounts, extra, now), demand.quantile(p), weeklyShare, whatIf.load, now)
  const { first, parked } = simulate(0.5, whatIf.accounts)
  return {
    dry: first,
    earliest: simulate(0.9, whatIf.accounts).first?.from ?? null,
    latest: simulate(0.1, whatIf.accounts).first?.from ?? null,
    parked,
    accountsNeeded: leastAccounts(accounts.length, (extra) => simulate(0.9, extra).first === null),
  }
}

/** The fewest accounts with which the pool never runs dry. Fresh accounts are added; the last ones are taken away. */
function leastAccounts(present: number, isEnough: (extra: number) => boolean): number | null {
  let [few, many] = [0, accountsMax]
  if (!isEnough(many - present)) return null
  while (many - few > 1) {
    const middle = Math.floor((few + many) / 2)
    if (isEnough(middle - present)) many = middle
    else few = middle
  }
  return many
}

/** What the accounts burned together. While all of them were used up, nothing is known of the demand. */
function demandOf(records: readonly UsageRecord[], now: number): BurnEstimate | null {
  const lists = records
    .map(({ firstHour, ...record }) => ({
      firstHour,
      values: hourlyBurn({ firstHour, ...record }, session, now),
    }))
    .filter(({ values }) => values.length > 0)
  if (lists.length === 0) return null
  const firstHour = Math.min(...lists.map((list) => list.firstHour))
  const length = Math.max(...lists.map((list) => list.firstHour + list.values.length)) - firstHour
  const values = Array.from({ length }, (_, index) =>
    sumKnown(lists.map((list) => list.values[firstHour + index - list.firstHour] ?? null)),
  )
  if (values.filter((value) => value !== null).length < leastKnownHours) return null
  const lately = records.map((record) => recentBurn(record, session, now, recentHours))
  const recent = Array.from({ length: recentHours }, (_, index) =>
    sumKnown(lately.map((list) => list[index] ?? null)),
  )
  return estimateBurn({ firstHour, values, recent }, now, 24)
}

function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}

/** The share of a week that the work for one whole five-hour window burns; 0 if there is no weekly window. */
function ratioOf(records: readonly UsageRecord[], now: number): number {
  const total = (window: string): number =>
    records.reduce((sum, record) => sum + (sumKnown(hourlyBurn(record, window, now)) ?? 0), 0)
  const burned = total(session)
  return burned === 0 ? 0 : total(weekly) / burned
}

interface SimulatedWindow {
  used: number
  resetsAt: number | null
  length: number
  isWeekly: boolean
}
interface SimulatedAccount {
  limit: number
  windows: SimulatedWindow[]
}

function initialAccounts(accounts: readonly PoolAccount[], extra: number, now: number): SimulatedAccount[] {
  const known = accounts.map(({ windows, limit }) => ({
    limit,
    windows: [session, weekly].map((name) => initialWindow(name, windows, now)),
  }))
  const added = Array.from({ length: Math.max(0, extra) }, () => ({
    limit: accounts[0]?.limit ?? 1,
    windows: [session, weekly].map((name) => initialWindow(name, [], now)),
  }))
  return [...known.slice(0, Math.max(0, known.length + Math.min(0, extra))), ...added]
}

function initialWindow(name: string, windows: readonly Window[], now: number): SimulatedWindow {
  const read = windows.find((window) => window.name === name)
  const isValid = read !== undefined && outdatedSince(read, 0, now) === null
  return {
    ...{ length: windowLength(name), isWeekly: name === weekly },
    used: isValid ? read.used : 0,
    resetsAt: isValid ? announcedReset(read) : null,
  }
}

/** Lets the demand run through the accounts. What is not burned while all are used up is not made up for later. */
function simulatePool(
  accounts: SimulatedAccount[],
  demandBy: (hours: number) => number,
  weeklyShare: number,
  load: number,
  now: number,
): { first: DrySpell | null; parked: number } {
  let first = null as DrySpell | null
  let [parked, burnedBefore] = [0, 0]
  for (let at = now; at < now + poolHorizon; at += step) {
    for (const { windows } of accounts) for (const window of windows) reset(window, at)
    const open = accounts.filter(({ windows, limit }) => windows.every(({ used }) => used < limit))
    const burnedBy = Math.max(burnedBefore, demandBy((at + step - now) / hourMs))
    const share = ((burnedBy - burnedBefore) * load) / Math.max(1, open.length)
    burnedBefore = burnedBy
    if (open.length > 0) {
      if (first !== null && first.until === null) first = { ...first, until: at }
      for (const { windows } of open)
        for (const window of windows) burn(window, share * (window.isWeekly ? weeklyShare : 1), at)
    } else {
      first ??= { from: at, until: null }
      parked += step
    }
  }
  return { first, parked }
}

/** A window begins again with the first work after its reset. */
function reset(window: SimulatedWindow, at: number): void {
  if (window.resetsAt === null || window.resetsAt > at) return
  window.used = 0
  window.resetsAt = null
}

function burn(window: SimulatedWindow, share: number, at: number): void {
  if (share === 0) return
  window.used = Math.min(1, window.used + share)
  window.resetsAt ??= at + window.length
}
