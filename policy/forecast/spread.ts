/** How far past estimates were off, as a weighted sample. */

export interface Spread {
  /** The value that a share `p` of the sample is below. */
  quantile(p: number): number
  /** The share of the sample that is below the value, 0..1. */
  below(value: number): number
}

/** Quantiles of the normal distribution, evenly spaced in probability. */
const normal = [-1.73, -1.15, -0.81, -0.55, -0.32, -0.1, 0.1, 0.32, 0.55, 0.81, 1.15, 1.73] as const

/** What is assumed of a fleet of which little is known: within an hour, it often burns twice or half as much as before. */
const spreadAtOnce = 0.8
const spreadInTheLongRun = 0.45
/** The weight of that assumption, in independent observations. */
const priorWeight = 2

/**
 * The errors over a horizon of so many hours, with what is assumed of any fleet: a short record must not look certain.
 * `independent`: how many of the errors overlap with no other; at most all of them.
 */
export function spreadOf(errors: readonly number[], hours: number, independent: number): Spread {
  const assumed = spreadInTheLongRun + (spreadAtOnce - spreadInTheLongRun) / Math.sqrt(hours)
  const each = errors.length === 0 ? 0 : Math.min(1, independent / errors.length)
  const sample = [
    ...errors.map((value) => ({ value, weight: each })),
    ...normal.map((value) => ({ value: value * assumed, weight: priorWeight / normal.length })),
  ].sort((a, b) => a.value - b.value)
  const total = sample.reduce((sum, { weight }) => sum + weight, 0)
  return {
    quantile(p) {
      let [passed, last] = [0, sample[0]?.value ?? 0]
      for (const { value, weight } of sample) {
        const middle = (passed + weight / 2) / total
        if (middle >= p) return value
        passed += weight
        last = value
      }
      return last
    },
    below: (limit) =>
      sample.reduce((sum, { value, weight }) => sum + (value < limit ? weight : 0), 0) / total,
  }
}
