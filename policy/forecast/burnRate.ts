/**
 * Estimates how fast a budget is burned, from what was burned in the hours before: a profile of the week, corrected by the last hours.
 * How uncertain that is comes from the record itself: the same estimate is made for past hours and compared with what followed.
 */
import { quantile, withPrior } from './quantiles.js'

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
  /** What is burned within the next `hours` is below this with probability `p`. */
  burnedBy(hours: number, p: number): number
  /** The probability that less than `room` is burned within the next `hours`. */
  chanceBelow(hours: number, room: number): number
}

/** Horizons at which past estimates are compared with what followed; between them errors are interpolated. */
const horizons = [1, 2, 3, 4, 5, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 168] as const
/** As many past hours as are compared; they are spread over the whole record. */
const comparedHours = 240
/** How many hours back the correction looks, and how fast their weight halves. */
export const correctionHours = 6
const correctionHalfLife = 2
/** How long a deviation from the profile may last, in hours: the one that fits the record best is taken. */
const persistences = [1, 3, 8, 24, 72] as const
/** Weight of the mean, in hours of data, against the mean of one hour of the day or one day of the week. */
const hourPrior = 2
const dayPrior = 24
/** Data below which days of the week are not distinguished. */
const weekdaysAfter = 10 * 24
/** Weight of the profile against the last hours, in hours of mean burn. */
const correctionPrior = 0.3
/** Keeps ratios of small numbers in bounds, in hours of mean burn. */
const ratioFloor = 0.5
/** How much burn a new record is taken to have, in shares per hour: a fleet of which nothing is known burns little. */
const leastMean = 1e-5
/** An older hour weighs half as much after so many hours: the fleet of a month ago was another one. */
const profileHalfLife = 14 * 24

type Profile = (hour: number) => number

export function estimateBurn(series: BurnSeries, now: number): BurnEstimate {
  const mean = Math.max(leastMean, meanOf(series.values, series.recent))
  const profile = weekProfile(series, mean)
  const fits = persistences.map((persistence) => ({
    persistence,
    errors: pastErrors(series, profile, mean, persistence),
  }))
  const { persistence, errors } = fits.reduce((best, fit) => (missOf(fit.errors) < missOf(best.errors) ? fit : best))
  const spread = errors.map((list, index) => withPrior(list, horizons[index] ?? 1))
  const nowHour = now / 3_600_000
  const ratio = correction(series.recent, (back) => profile(Math.floor(nowHour - back)), mean)
  const expected = cumulative((ahead) => profile(Math.floor(nowHour + ahead)) * fading(ratio, ahead, persistence))
  const floor = ratioFloor * mean
  const errorAt = (hours: number, p: number): number =>
    interpolate(hours, (index) => quantile(spread[index] ?? [], p))
  return {
    expected,
    burnedBy: (hours, p) => Math.max(0, (expected(hours) + floor) * Math.exp(errorAt(hours, p)) - floor),
    chanceBelow(hours, room) {
      const needed = Math.log((room + floor) / (expected(hours) + floor))
      return interpolate(hours, (index) => shareBelow(spread[index] ?? [], needed))
    },
  }
}

const fading = (ratio: number, ahead: number, persistence: number): number =>
  1 + (ratio - 1) * Math.exp(-ahead / persistence)

function meanOf(values: readonly (number | null)[], recent: readonly (number | null)[]): number {
  const known = values.some((value) => value !== null) ? values : recent
  let [sum, weight] = [0, 0]
  for (const [index, value] of known.entries()) {
    if (value === null) continue
    const age = weightOfAge(known.length - index)
    sum += value * age
    weight += age
  }
  return weight === 0 ? 0 : sum / weight
}

const weightOfAge = (hours: number): number => 2 ** (-hours / profileHalfLife)

/** The expected burn of an hour by its place in the week: each hour of the day and each day of the week, drawn towards the mean. */
function weekProfile({ firstHour, values }: BurnSeries, mean: number): Profile {
  const hours = Array.from({ length: 24 }, () => ({ sum: 0, weight: 0 }))
  let known = 0
  for (const [index, value] of values.entries()) {
    if (value === null) continue
    known++
    const weight = weightOfAge(values.length - index)
    for (const [shift, part] of [[-1, 0.25], [0, 0.5], [1, 0.25]] as const) {
      const bin = hours[(firstHour + index + shift + 24) % 24]
      if (bin === undefined) continue
      bin.sum += value * weight * part
      bin.weight += weight * part
    }
  }
  const byHour = hours.map(({ sum, weight }) => (sum + hourPrior * mean) / (weight + hourPrior))
  const hourly: Profile = (hour) => byHour[((hour % 24) + 24) % 24] ?? mean
  if (known < weekdaysAfter) return hourly
  const days = Array.from({ length: 7 }, () => ({ actual: 0, expected: 0 }))
  for (const [index, value] of values.entries()) {
    const day = days[dayOf(firstHour + index)]
    if (value === null || day === undefined) continue
    const weight = weightOfAge(values.length - index)
    day.actual += value * weight
    day.expected += hourly(firstHour + index) * weight
  }
  const factors = days.map(({ actual, expected }) => (actual + dayPrior * mean) / (expected + dayPrior * mean))
  return (hour) => hourly(hour) * (factors[dayOf(hour)] ?? 1)
}

const dayOf = (hour: number): number => ((Math.floor(hour / 24) % 7) + 7) % 7

/** How the last hours compare with the profile. */
function correction(recent: readonly (number | null)[], expectedBack: (back: number) => number, mean: number): number {
  let [actual, expected] = [correctionPrior * mean, correctionPrior * mean]
  for (const [index, value] of recent.slice(0, correctionHours).entries()) {
    if (value === null) continue
    const weight = 2 ** (-index / correctionHalfLife)
    actual += weight * value
    expected += weight * expectedBack(index + 0.5)
  }
  return actual / expected
}

/** For each horizon the logarithms of what followed past hours over what was expected then. */
function pastErrors(series: BurnSeries, profile: Profile, mean: number, persistence: number): number[][] {
  const { firstHour, values } = series
  const errors = horizons.map((): number[] => [])
  const stride = Math.max(1, Math.floor(values.length / comparedHours))
  for (let from = values.length - 1; from >= correctionHours; from -= stride) {
    const back = Array.from({ length: correctionHours }, (_, index) => values[from - 1 - index] ?? null)
    const ratio = correction(back, (hours) => profile(firstHour + Math.floor(from - hours)), mean)
    compare(from, ratio)
  }
  return errors

  /** A window that was used up says no more about demand: hours that are not known are left out on both sides. */
  function compare(from: number, ratio: number): void {
    let [actual, expected, known, index] = [0, 0, 0, 0]
    for (let ahead = 0; from + ahead < values.length && index < horizons.length; ahead++) {
      const value = values[from + ahead] ?? null
      if (value !== null) {
        actual += value
        expected += profile(firstHour + from + ahead) * fading(ratio, ahead + 0.5, persistence)
        known++
      }
      if (ahead + 1 < (horizons[index] ?? Infinity)) continue
      const floor = ratioFloor * mean
      if (known * 2 > ahead) errors[index]?.push(Math.log((actual + floor) / (expected + floor)))
      index++
    }
  }
}

/** The mean miss over the horizons of a five-hour window and of a day. */
function missOf(errors: readonly (readonly number[])[]): number {
  const misses = [1, 4, 9].flatMap((index) => (errors[index] ?? []).map(Math.abs))
  return misses.length === 0 ? 0 : misses.reduce((sum, miss) => sum + miss, 0) / misses.length
}

/** The sum of an hourly rate from 0 to `hours`, piecewise by half hours. */
function cumulative(rate: (ahead: number) => number): (hours: number) => number {
  const step = 0.5
  const sums = [0]
  return (hours) => {
    const steps = Math.max(0, hours) / step
    while (sums.length <= Math.ceil(steps)) sums.push((sums.at(-1) ?? 0) + rate((sums.length - 0.5) * step) * step)
    const low = sums[Math.floor(steps)] ?? 0
    const high = sums[Math.ceil(steps)] ?? low
    return low + (high - low) * (steps - Math.floor(steps))
  }
}

/** The value at a horizon that lies between two of the compared ones. */
function interpolate(hours: number, at: (index: number) => number): number {
  const upper = horizons.findIndex((horizon) => horizon >= hours)
  if (upper === 0) return at(0)
  if (upper < 0) return at(horizons.length - 1)
  const [low, high] = [horizons[upper - 1] ?? 0, horizons[upper] ?? 1]
  const part = (hours - low) / (high - low)
  return at(upper - 1) * (1 - part) + at(upper) * part
}

const shareBelow = (sorted: readonly number[], limit: number): number =>
  sorted.length === 0 ? 0.5 : sorted.filter((value) => value < limit).length / sorted.length
