/**
 * What was reported about an account, as far as a pool could have received it, and what follows from that
 * alone.
 */
import { minute } from './spans.js'

export interface ReportedFact {
  used: number
  /** Stated reset, or null. */
  resetsAt: number | null
  at: number
}

export interface ReportedState {
  windows: Map<string, ReportedFact>
  /** When a wall of this kind was last met. */
  walls: Map<string, ReportedFact>
  /** The last probe, with or without a result, and the last one with a result. */
  probedAt: number
  answeredAt: number
  /** The last reading of a window that binds every model. */
  readAt: number
  loggedOut: boolean
  faults: number
  faultAt: number
  restsUntil: number
  trial: string | null
  probes: number[]
}

export const nothingReported = (): ReportedState => ({
  windows: new Map(),
  walls: new Map(),
  probedAt: -Infinity,
  answeredAt: -Infinity,
  readAt: -Infinity,
  loggedOut: false,
  faults: 0,
  faultAt: -Infinity,
  restsUntil: 0,
  trial: null,
  probes: [],
})

export function dropOutdated(reported: ReportedState, now: number): void {
  for (const [kind, wall] of reported.walls)
    if (isContradicted(reported, kind, wall)) reported.walls.delete(kind)
  for (const facts of [reported.windows, reported.walls])
    for (const [kind, fact] of facts) if (kind.includes('opus') && endOf(fact) <= now) facts.delete(kind)
}

/** Whether the reports about the account keep the model out, rightly or not. */
export function isBlocked(
  reported: ReportedState,
  { model, ceiling, wakeMargin }: { model: string; ceiling: number; wakeMargin: number },
  now: number,
): boolean {
  const bars = (kind: string, fact: ReportedFact): boolean =>
    fact.used >= ceiling && binds(kind, model) && now < endOf(fact) + wakeMargin
  for (const [kind, fact] of reported.walls)
    if (bars(kind, fact) && !isContradicted(reported, kind, fact)) return true
  for (const [kind, fact] of reported.windows) if (bars(kind, fact)) return true
  return false
}

/** Until when a fact has to be believed: its stated reset, or half an hour if no plausible one is stated. */
export function endOf({ resetsAt, at }: ReportedFact): number {
  return resetsAt !== null && resetsAt > at ? resetsAt : at + 30 * minute
}

/** A newer reading of the same window shows room. */
export function isContradicted(reported: ReportedState, kind: string, wall: ReportedFact): boolean {
  const window = reported.windows.get(kind)
  return window !== undefined && window.at > wall.at && window.used < 1
}

export function binds(kind: string, model: string): boolean {
  return !kind.includes('opus') || model.includes('opus')
}
