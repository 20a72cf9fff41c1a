/** Quantiles of small samples. */

/** Of a sorted sample, interpolated; 0 if it is empty. */
export function quantile(sorted: readonly number[], p: number): number {
  const place = p * (sorted.length - 1)
  const low = sorted[Math.floor(place)] ?? 0
  const high = sorted[Math.ceil(place)] ?? low
  return low + (high - low) * (place - Math.floor(place))
}

/** Quantiles of the normal distribution, evenly spaced in probability. */
const normal = [-1.73, -1.15, -0.81, -0.55, -0.32, -0.1, 0.1, 0.32, 0.55, 0.81, 1.15, 1.73] as const

/** What is assumed of a fleet of which little is known: within an hour, it often burns twice or half as much as before. */
const spreadAtOnce = 0.7
const spreadInTheLongRun = 0.35

/** The sample sorted, with what is assumed of any fleet: a short record must not look certain. */
export function withPrior(sample: readonly number[], hours: number): number[] {
  const spread = spreadInTheLongRun + (spreadAtOnce - spreadInTheLongRun) / Math.sqrt(hours)
  return [...sample, ...normal.map((value) => value * spread)].sort((a, b) => a - b)
}
