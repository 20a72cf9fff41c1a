/**
 * The record of what an account's windows used over time: the readings of the last hours, and what was burned in each hour of the last
 * weeks. Plain data of bounded size. Instants are milliseconds since the epoch; hours are whole hours since the epoch.
 */
import type { Window } from '../account/account.js'
import { announcedReset, budgetWindow, modelOfWindow, windowLength } from '../account/windows.js'
import { toMs } from '../instants.js'

export const hourMs = 3_600_000

/** Six weeks: enough for each hour of the week to come several times. */
export const recordedHours = 6 * 7 * 24
/** The time for which single readings are kept. */
const recentFor = 6 * hourMs
/** As many readings as come within that time, one for each sample. */
const recentMax = 72
/** A host looks at its accounts this often. */
export const sampleEvery = 5 * 60_000
/** What was burned between two readings further apart than this cannot be assigned to hours. */
const longestGap = 6 * hourMs
/** Resets are rounded differently by different sources: instants this close are one reset. */
const resetTolerance = 10 * 60_000
/** The unit of a recorded share: the largest file stays small, and rounding stays far below a percent a day. */
const unit = 10_000
/** In the place of a number: not known. */
const unknown = -1
/** The same, for good: of the hour in which a used-up window resets only a part can be known. */
const partial = -2

/** The instant, the share used in ten-thousandths, and the announced reset (0 if there was none). */
type RecordedReading = [at: number, used: number, resetsAt: number]

export interface UsageRecord {
  account: string
  /** For each window the readings of the last hours, oldest first. The last one is always kept. */
  recent: Record<string, RecordedReading[]>
  /** The hour of the first element of each list below. */
  firstHour: number
  /** For each hour the mean number of sessions on the account, in tenths; -1 if it is not known. */
  sessions: number[]
  /** For each window and hour the share that was burned, in ten-thousandths; -1 if it is not known, or if the window was used up. */
  burned: Record<string, number[]>
  /** The samples of the hour that is not over. */
  current: { hour: number; samples: number; sessions: number }
}

/** What a host sees of an account at one instant. */
export interface UsageSample {
  at: number
  sessions: number
  windows: readonly Window[]
  /** The share from which on sessions leave the account: a window beyond it says nothing about demand. */
  limit: number
}

export const emptyUsageRecord = (account: string): UsageRecord => ({
  ...{ account, recent: {}, firstHour: 0, sessions: [], burned: {} },
  current: { hour: 0, samples: 0, sessions: 0 },
})

/** Adds what a host sees now. */
export function recordUsage(before: UsageRecord, sample: UsageSample): UsageRecord {
  const hour = Math.floor(sample.at / hourMs)
  // After a clock that was far ahead, nothing could be recorded any more.
  const isAhead = before.current.hour > hour + 1
  const known = isAhead ? emptyUsageRecord(before.account) : before
  const isOut = outWindows(known, sample.limit)
  let record = withSessions(known, sample, hour)
  for (const window of sample.windows) record = withReading(record, window, isOut(window.name), sample)
  return record
}

function withSessions(record: UsageRecord, { sessions }: UsageSample, hour: number): UsageRecord {
  const { current } = record
  const samples = current.hour === hour ? current.samples + 1 : 1
  const sum = current.hour === hour ? current.sessions + sessions : sessions
  const grown = withHours(record, hour)
  const list = [...grown.sessions]
  list[hour - grown.firstHour] = Math.round((sum / samples) * 10)
  return { ...grown, sessions: list, current: { hour, samples, sessions: sum } }
}

/** The record with room for this hour, and without hours that are too old. */
function withHours(record: UsageRecord, hour: number): UsageRecord {
  const { firstHour, sessions } = record
  if (sessions.length === 0 || hour - firstHour - sessions.length > recordedHours)
    return {
      ...record,
      firstHour: hour,
      sessions: [unknown],
      burned: mapValues(record.burned, () => [unknown]),
    }
  const missing = Math.max(0, hour - firstHour - sessions.length + 1)
  if (missing === 0) return record
  const from = Math.max(0, sessions.length + missing - recordedHours)
  const grow = (list: readonly number[]): number[] =>
    [...list, ...Array<number>(missing).fill(unknown)].slice(from)
  const burned = Object.entries(mapValues(record.burned, grow)).filter(
    ([name, list]) => name in record.recent || list.some((value) => value >= 0),
  )
  return {
    ...record,
    firstHour: firstHour + from,
    sessions: grow(sessions),
    burned: Object.fromEntries(burned),
  }
}

function withReading(
  record: UsageRecord,
  window: Window,
  isOut: boolean,
  { at: now, limit }: UsageSample,
): UsageRecord {
  const readings = record.recent[window.name] ?? []
  const last = readings.at(-1)
  const reading: RecordedReading = [
    Math.round(toMs(window.readAt)),
    Math.round(Math.min(1, Math.max(0, window.used)) * unit),
    announcedReset(window) ?? 0,
  ]
  if (reading[0] > now + hourMs || (last !== undefined && reading[0] <= last[0])) return record
  const kept = readings.filter(([at]) => at > reading[0] - recentFor).slice(1 - recentMax)
  const recent = { ...record.recent, [window.name]: [...kept, reading] }
  const next = { ...record, recent }
  if (last === undefined) return next
  if (isOut) return window.used >= limit ? next : withPartialHour(next, window.name, reading[0])
  const burned = withBurn(next, window.name, last, reading)
  return window.used >= limit ? withFullHour(burned, window.name, reading[0]) : burned
}

function withPartialHour(record: UsageRecord, name: string, at: number): UsageRecord {
  const index = Math.floor(at / hourMs) - record.firstHour
  const before = record.burned[name]
  if (before === undefined || index < 0 || index >= before.length) return record
  const list = before.map((value, place) => (place === index ? partial : value))
  return { ...record, burned: { ...record.burned, [name]: list } }
}

/** Shorter parts of an hour say little about the whole. */
const leastPart = 0.25

/** A window that is used up burns nothing in the rest of the hour: what it burned before stands for the whole hour. */
function withFullHour(record: UsageRecord, name: string, at: number): UsageRecord {
  const part = (at % hourMs) / hourMs
  const index = Math.floor(at / hourMs) - record.firstHour
  const list = [...(record.burned[name] ?? [])]
  const burned = list[index]
  if (burned === undefined || burned < 0 || part === 0) return record
  list[index] = part < leastPart ? partial : burned / part
  return { ...record, burned: { ...record.burned, [name]: list } }
}

/** Divides what was burned between two readings among the hours between them. */
function withBurn(
  record: UsageRecord,
  name: string,
  last: RecordedReading,
  reading: RecordedReading,
): UsageRecord {
  const [from, to] = [last[0], reading[0]]
  if (to - from > longestGap) return record
  const share = burnedBetween(last, reading)
  const list = [...(record.burned[name] ?? record.sessions.map(() => unknown))]
  for (let hour = Math.floor(from / hourMs); hour * hourMs < to; hour++) {
    const index = hour - record.firstHour
    if (index < 0 || index >= list.length) continue
    if (list[index] === partial) continue
    const overlap = Math.min(to, (hour + 1) * hourMs) - Math.max(from, hour * hourMs)
    // Fractions are kept until the file is written: rounding each part would lose slow windows.
    list[index] = Math.max(0, list[index] ?? 0) + (share * overlap) / (to - from)
  }
  return { ...record, burned: { ...record.burned, [name]: list } }
}

/**
 * The share burned between two readings, in ten-thousandths. After a reset, only what was burned since it is known. A reset that is due is
 * no proof: sources repeat the old share for a while.
 */
function burnedBetween([, before, resetBefore]: RecordedReading, [, used, reset]: RecordedReading): number {
  const hasReset = used < before || (resetBefore !== 0 && reset > resetBefore + resetTolerance)
  return hasReset ? used : used - before
}

/** Whether a window, or a longer one that binds the same work, was beyond the limit when it was last read. */
function outWindows({ recent }: UsageRecord, limit: number): (name: string) => boolean {
  const out = Object.entries(recent).flatMap(([name, readings]) =>
    (readings.at(-1)?.[1] ?? 0) >= limit * unit ? [name] : [],
  )
  const bindsAll = (name: string): boolean => modelOfWindow(name) === null && name !== budgetWindow
  return (name) =>
    out.some((other) => other === name || (bindsAll(other) && windowLength(other) > windowLength(name)))
}

/** The record as it is stored: numbers without needless digits. */
export const compactUsageRecord = (record: UsageRecord): UsageRecord => ({
  ...record,
  burned: mapValues(record.burned, (list) => list.map((value) => Math.round(value * 10) / 10)),
})

/** What was burned in each hour that is over, as shares; null if it is not known. */
export function hourlyBurn(record: UsageRecord, window: string, now: number): (number | null)[] {
  const complete = Math.floor(now / hourMs) - record.firstHour
  return (record.burned[window] ?? [])
    .slice(0, Math.max(0, complete))
    .map((value) => (value < 0 ? null : value / unit))
}

/** What was burned in each of the last hours before `now`, newest first, as shares; null if it is not known. */
export function recentBurn(
  record: UsageRecord,
  window: string,
  now: number,
  hours: number,
): (number | null)[] {
  const readings = record.recent[window] ?? []
  return Array.from({ length: hours }, (_, index) => {
    const [from, to] = [now - (index + 1) * hourMs, now - index * hourMs]
    return burnedDuring(readings, from, to)
  })
}

/** What was burned per hour in the last `hours` before `now`, as a share; null if it is not known. */
export function recentRate(record: UsageRecord, window: string, now: number, hours: number): number | null {
  const burned = burnedDuring(record.recent[window] ?? [], now - hours * hourMs, now)
  return burned === null ? null : burned / hours
}

function burnedDuring(readings: readonly RecordedReading[], from: number, to: number): number | null {
  let [burned, known] = [0, 0]
  for (const [index, reading] of readings.entries()) {
    const last = readings[index - 1]
    if (last === undefined || last[0] >= to || reading[0] <= from) continue
    const overlap = Math.min(to, reading[0]) - Math.max(from, last[0])
    burned += (burnedBetween(last, reading) * overlap) / (reading[0] - last[0])
    known += overlap
  }
  return known < (to - from) / 2 ? null : (burned / unit) * ((to - from) / known)
}

const mapValues = <T, U>(values: Record<string, T>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]))
