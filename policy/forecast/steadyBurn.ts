/**
 * Estimates the burn of a window that lasts for hours: the rate of the last hour, and of the window so far, goes on. How far off that is
 * was measured on simulated months, since a record of hours says little of what happens within one (docs/decisions/0035-forecast.md).
 */
import type { BurnEstimate } from './burnRate.js'

/** Shares per hour; null if nothing is known. */
interface RecentRates {
  halfHour: number | null
  hour: number | null
  /** Since the window began. */
  window: number
}

/** How much each counts. The newest tells what goes on, the window what its mean is. */
const weights: Record<keyof RecentRates, number> = { halfHour: 0.25, hour: 0.25, window: 0.5 }

/** The deviation of the logarithm of what is burned in so many hours: bursts begin and end, so the next minutes are surer than their end. */
const deviation = (hours: number): number => 0.5 + 0.15 / Math.sqrt(Math.max(hours, leastHours))
/** A minute. */
const leastHours = 1 / 60

export function estimateSteadyBurn(rates: RecentRates): BurnEstimate {
  const rate = meanRate(rates)
  const expected = (hours: number): number => rate * hours
  return {
    expected,
    quantile(p) {
      const deviations = normalQuantile(p)
      return (hours) => expected(hours) * Math.exp(deviations * deviation(hours))
    },
    chanceBelow(hours, room) {
      const burned = expected(hours)
      return burned === 0 ? 1 : normalBelow(Math.log(room / burned) / deviation(hours))
    },
  }
}

function meanRate(rates: RecentRates): number {
  const known = (Object.keys(weights) as (keyof RecentRates)[]).flatMap((key) => {
    const rate = rates[key]
    return rate === null ? [] : [{ rate, weight: weights[key] }]
  })
  const total = known.reduce((sum, { weight }) => sum + weight, 0)
  return known.reduce((sum, { rate, weight }) => sum + rate * weight, 0) / total
}

/** The share of a normal distribution that is below so many deviations (Abramowitz and Stegun 26.2.17, to 1e-7). */
function normalBelow(deviations: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(deviations))
  const polynomial = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153].reduce(
    (sum, factor) => (sum + factor) * t,
    0,
  )
  const above = (Math.exp(-(deviations ** 2) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
  return deviations < 0 ? above : 1 - above
}

/** Its inverse, by halving. */
function normalQuantile(p: number): number {
  let [low, high] = [-6, 6]
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2
    if (normalBelow(middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
