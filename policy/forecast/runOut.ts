/** When a window runs out: the middle of the estimate and its 80 % interval. Instants are milliseconds since the epoch. */
import type { BurnEstimate } from './burnRate.js'
import { hourMs } from './usageRecord.js'

/** The probability with which an interval holds. */
const coverage = 0.8
const tail = (1 - coverage) / 2

export interface RunOut {
  /** When the window runs out; null if it more likely lasts until its reset. */
  at: number | null
  /** The start of the 80 % interval; null if it lasts until its reset with at least that probability. */
  from: number | null
  /** The end of the interval; null if the reset may well come first. */
  to: number | null
  /** The probability that it lasts until its reset, 0..1. */
  lasts: number
}

const lastsForSure: RunOut = { at: null, from: null, to: null, lasts: 1 }

/** Between two steps the burn is taken to be even. */
const stepHours = 1 / 12

/** When `room` is used up, at a window that resets at `resetsAt`. */
export function runOut(estimate: BurnEstimate, room: number, now: number, resetsAt: number): RunOut {
  const horizon = Math.max(0, resetsAt - now) / hourMs
  if (room <= 0) return { at: now, from: now, to: now, lasts: 0 }
  if (horizon === 0) return lastsForSure
  const lasts = estimate.chanceBelow(horizon, room)
  // Where the reset may well come first, the whole remaining probability lies before the interval.
  const isOpen = lasts > tail
  const at = (p: number): number | null => reached(estimate, room, horizon, now, 1 - p)
  if (lasts >= coverage) return { at: null, from: null, to: null, lasts }
  return { at: at(0.5), from: at(isOpen ? 1 - coverage : tail), to: isOpen ? null : at(1 - tail), lasts }
}

/** The first instant at which the quantile `p` of what is burned has reached the room; null if that is after the horizon. */
function reached(
  estimate: BurnEstimate,
  room: number,
  horizon: number,
  now: number,
  p: number,
): number | null {
  const burned = estimate.quantile(p)
  let before = { hours: 0, share: 0 }
  while (before.hours < horizon) {
    const hours = Math.min(horizon, before.hours + stepHours)
    const share = burned(hours)
    if (share >= room) {
      const part = (room - before.share) / (share - before.share)
      return now + (before.hours + part * (hours - before.hours)) * hourMs
    }
    before = { hours, share }
  }
  return null
}
