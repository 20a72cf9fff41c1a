/** What is usually burned in each hour of the week. Hours are whole hours since the epoch. */

export interface WeekProfile {
  /** The mean burn of an hour, in shares. */
  mean: number
  /** The expected burn of an hour, by its place in the week. */
  profile: (hour: number) => number
}

/** Weight of the mean, in hours of data, against the data of one hour of the day, and of one day of the week. */
const hourPrior = 2
const dayPrior = 24
/** Below so many hours of data, days of the week are not distinguished. */
const weekdaysAfter = 10 * 24
/** An older hour weighs half as much after so many hours: the fleet of a month ago was another one. */
const halfLife = 14 * 24
/** Neighbouring hours are alike: each counts in part for the hours beside it. */
const neighbours = [
  { shift: -1, part: 0.25 },
  { shift: 0, part: 0.5 },
  { shift: 1, part: 0.25 },
] as const

/** Each hour of the day and each day of the week, drawn towards the mean as long as there is little data. */
export function weekProfile(
  series: { firstHour: number; values: readonly (number | null)[]; recent: readonly (number | null)[] },
  leastMean: number,
): WeekProfile {
  const { firstHour, values, recent } = series
  const known = values.flatMap((value, index) =>
    value === null
      ? []
      : [{ value, hour: firstHour + index, weight: 2 ** ((index - values.length) / halfLife) }],
  )
  const newest = recent.flatMap((value) => (value === null ? [] : [{ value, weight: 1 }]))
  const mean = Math.max(leastMean, weightedMean(known.length === 0 ? newest : known))
  const bins = Array.from({ length: 24 }, () => ({ sum: hourPrior * mean, weight: hourPrior }))
  for (const { value, hour, weight } of known)
    for (const { shift, part } of neighbours) {
      const bin = bins[modulo(hour + shift, 24)]
      if (bin === undefined) continue
      bin.sum += value * weight * part
      bin.weight += weight * part
    }
  const byHour = bins.map(({ sum, weight }) => sum / weight)
  const ofDay = (hour: number): number => byHour[modulo(hour, 24)] ?? mean
  if (known.length < weekdaysAfter) return { mean, profile: ofDay }
  const days = Array.from({ length: 7 }, () => ({ actual: dayPrior * mean, expected: dayPrior * mean }))
  for (const { value, hour, weight } of known) {
    const day = days[dayOf(hour)]
    if (day === undefined) continue
    day.actual += value * weight
    day.expected += ofDay(hour) * weight
  }
  const factors = days.map(({ actual, expected }) => actual / expected)
  return { mean, profile: (hour) => ofDay(hour) * (factors[dayOf(hour)] ?? 1) }
}

function weightedMean(values: readonly { value: number; weight: number }[]): number {
  const total = values.reduce((sum, { weight }) => sum + weight, 0)
  return total === 0 ? 0 : values.reduce((sum, { value, weight }) => sum + value * weight, 0) / total
}

const modulo = (value: number, by: number): number => ((value % by) + by) % by
const dayOf = (hour: number): number => modulo(Math.floor(hour / 24), 7)
