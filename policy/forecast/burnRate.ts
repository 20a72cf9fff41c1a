/**
 * Estimates how fast a budget is burned, from what was burned in the hours before: a profile of the week, corrected by the level of the
 * last days and by the last hours. How uncertain that is comes from the record itself: the same estimate is made for past hours, and
 * compared with what followed them.
 */
import { type Spread, spreadOf } from './spread.js'
import { hourMs } from './usageRecord.js'
import { weekProfile } from './weekProfile.js'

/** What was burned in each hour, as shares; null if it is not known. */
export interface BurnSeries {
  /** Whole hours since the epoch, of the first value. */
  firstHour: number
  values: readonly (number | null)[]
  /** The last hours before now, newest first, however they lie in the clock's hours. */
  recent: readonly (number | null)[]
}

/** What will be burned from now on, in shares. */
export interface BurnEstimate {
  /** Expected within the next `hours`. */
  expected(hours: number): number
  /** For a probability, the amount that the burn of the next `hours` stays below with it. */
  quantile(p: number): (hours: number) => number
  /** The probability that less than `room` is burned within the next `hours`. */
  chanceBelow(hours: number, room: number): number
}

/** Horizons at which past estimates are compared with what followed; between them errors are interpolated. */
const horizons = [1, 2, 3, 4, 5, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 168] as const
/** Past hours that are compared, spread over the whole record. */
const comparedHours = 240
/** How many hours back the last hours reach, and how fast their weight halves. */
export const recentHours = 6
const recentHalfLife = 2
/** The same for the level of the last days. */
const levelHalfLife = 96
/** Weight of the profile against the last hours, and against the last days, in hours of mean burn. */
const recentPrior = 1.5
const levelPrior = 12
/** How long, in hours, a deviation of the last hours may last, and how much of the level of the last days is kept: what fits the record best is taken. */
const persistences = [1, 3, 8, 24] as const
const levelShares = [0, 0.5, 1] as const
/** With fewer past hours that were as busy as now, all of them are compared. */
const alikeMin = 12
/** Past hours by which the choices are made. */
const triedHours = 80
/** Keeps ratios of small numbers in bounds, in hours of mean burn. */
const ratioFloor = 0.5
/** The least mean burn of a fleet of which nothing is known, in shares per hour. */
const leastMean = 1e-5

interface Model {
  mean: number
  /** The expected burn of each hour, by its place in the week. */
  profile: (hour: number) => number
  /** The level of the last days before each hour of the series, against the profile. */
  levels: readonly number[]
  persistence: number
  levelShare: number
}

/** `horizon`: the hours ahead for which the estimate is made, such as those until a reset. */
export function estimateBurn(series: BurnSeries, now: number, horizon: number): BurnEstimate {
  const model = fit(series, horizon)
  const { mean, profile } = model
  const nowHour = now / hourMs
  const level = (model.levels.at(-1) ?? 1) ** model.levelShare
  const base = (ahead: number): number => level * profile(Math.floor(nowHour + ahead))
  const ratio = recentRatio(series.recent, (back) => base(-back), mean)
  const expected = cumulative((ahead) => base(ahead) * fading(ratio, ahead, model.persistence))
  const floor = ratioFloor * mean
  const known = series.values.filter((value) => value !== null).length
  const spreads = pastErrors(series, model, comparedHours).map((errors, index): Spread => {
    const hours = horizons[index] ?? 1
    return spreadOf(errors, hours, known / hours)
  })
  return {
    expected,
    quantile(p) {
      const errors = spreads.map((spread) => spread.quantile(p))
      return (hours) => Math.max(0, (expected(hours) + floor) * Math.exp(interpolate(errors, hours)) - floor)
    },
    chanceBelow(hours, room) {
      const needed = Math.log((room + floor) / (expected(hours) + floor))
      return interpolate(
        spreads.map((spread) => spread.below(needed)),
        hours,
      )
    },
  }
}

/** Chooses what fits the record best over such horizons: first how much of the level counts, then how long the last hours do. */
function fit(series: BurnSeries, horizon: number): Model {
  const { mean, profile } = weekProfile(series, leastMean)
  const levels = levelsOf(series, profile, mean)
  // A window often runs out long before its reset.
  const indices = [8, 4, 2].map((part) => indexOf(horizon / part))
  const missOf = (model: Model): number => meanMiss(pastErrors(series, model, triedHours), indices)
  const { levelShare } = leastOf(
    levelShares.map((share): Model => ({ mean, profile, levels, levelShare: share, persistence: 3 })),
    missOf,
  )
  return leastOf(
    persistences.map((persistence): Model => ({ mean, profile, levels, levelShare, persistence })),
    missOf,
  )
}

/** The index of the first compared horizon that is not shorter. */
function indexOf(hours: number): number {
  const index = horizons.findIndex((horizon) => horizon >= hours)
  return index < 0 ? horizons.length - 1 : index
}

function leastOf<T>(items: readonly T[], valueOf: (item: T) => number): T {
  const ranked = items.map((item) => ({ item, value: valueOf(item) })).sort((a, b) => a.value - b.value)
  const [first] = ranked
  if (first === undefined) throw new RangeError('there is nothing to choose from')
  return first.item
}

/** One more than the values: the last level is that of now. */
function levelsOf({ firstHour, values }: BurnSeries, profile: Model['profile'], mean: number): number[] {
  const fade = 2 ** (-1 / levelHalfLife)
  let [actual, expected] = [0, 0]
  const levels = [1]
  for (const [index, value] of values.entries()) {
    actual *= fade
    expected *= fade
    if (value !== null) {
      actual += value
      expected += profile(firstHour + index)
    }
    levels.push((actual + levelPrior * mean) / (expected + levelPrior * mean))
  }
  return levels
}

/** How the last hours compare with what was expected of them. */
function recentRatio(
  recent: readonly (number | null)[],
  expectedBack: (back: number) => number,
  mean: number,
): number {
  let [actual, expected] = [recentPrior * mean, recentPrior * mean]
  for (const [index, value] of recent.slice(0, recentHours).entries()) {
    if (value === null) continue
    const weight = 2 ** (-index / recentHalfLife)
    actual += weight * value
    expected += weight * expectedBack(index + 0.5)
  }
  return actual / expected
}

const fading = (ratio: number, ahead: number, persistence: number): number =>
  1 + (ratio - 1) * Math.exp(-ahead / persistence)

/** For each horizon the logarithms of what followed past hours over what was expected then. */
function pastErrors({ firstHour, values, recent }: BurnSeries, model: Model, hours: number): number[][] {
  const { mean, profile, levels, persistence, levelShare } = model
  const errors = horizons.map((): number[] => [])
  const floor = ratioFloor * mean
  for (const from of pastHours(values, isBusy(recent), hours)) {
    const level = (levels[from] ?? 1) ** levelShare
    const base = (hour: number): number => level * profile(firstHour + hour)
    const back = Array.from({ length: recentHours }, (_, index) => values[from - 1 - index] ?? null)
    const ratio = recentRatio(back, (hours) => base(Math.floor(from - hours)), mean)
    // A window that was used up says no more about demand: hours that are not known are left out on both sides.
    let [actual, expected, known, index] = [0, 0, 0, 0]
    for (let ahead = 0; from + ahead < values.length && index < horizons.length; ahead++) {
      const value = values[from + ahead] ?? null
      if (value !== null) {
        actual += value
        expected += base(from + ahead) * fading(ratio, ahead + 0.5, persistence)
        known++
      }
      if (ahead + 1 < (horizons[index] ?? Infinity)) continue
      if (known * 2 > ahead) errors[index]?.push(Math.log((actual + floor) / (expected + floor)))
      index++
    }
  }
  return errors
}

/** Whether work was going on just before: what follows a busy hour differs from what follows a quiet one. */
const isBusy = ([last = null, before = null]: readonly (number | null)[]): boolean =>
  (last ?? 0) + (before ?? 0) > 0

/** Indices of past hours that began as busy or quiet as now, newest first; of any, if there are too few of those. */
function pastHours(values: BurnSeries['values'], busy: boolean, count: number): number[] {
  const all = values.flatMap((_, index) => (index < recentHours ? [] : [index])).reverse()
  const alike = all.filter((index) => isBusy([values[index - 1] ?? null, values[index - 2] ?? null]) === busy)
  const chosen = alike.length < alikeMin ? all : alike
  const stride = Math.max(1, Math.floor(chosen.length / count))
  return chosen.filter((_, index) => index % stride === 0)
}

/** The mean miss over some horizons. */
function meanMiss(errors: readonly (readonly number[])[], indices: readonly number[]): number {
  const misses = indices.flatMap((index) => (errors[index] ?? []).map(Math.abs))
  return misses.length === 0 ? 0 : misses.reduce((sum, miss) => sum + miss, 0) / misses.length
}

/** The sum of an hourly rate from 0 to `hours`, in steps of half an hour. */
function cumulative(rate: (ahead: number) => number): (hours: number) => number {
  const step = 0.5
  const sums = [0]
  return (hours) => {
    const steps = Math.max(0, hours) / step
    while (sums.length <= Math.ceil(steps))
      sums.push((sums.at(-1) ?? 0) + rate((sums.length - 0.5) * step) * step)
    const low = sums[Math.floor(steps)] ?? 0
    const high = sums[Math.ceil(steps)] ?? low
    return low + (high - low) * (steps - Math.floor(steps))
  }
}

/** The value at a horizon that lies between two of the compared ones. */
function interpolate(values: readonly number[], hours: number): number {
  const upper = indexOf(hours)
  if (upper === 0) return values[0] ?? 0
  const [low, high] = [horizons[upper - 1] ?? 0, horizons[upper] ?? 1]
  const part = Math.min(1, (hours - low) / (high - low))
  return (values[upper - 1] ?? 0) * (1 - part) + (values[upper] ?? 0) * part
}
