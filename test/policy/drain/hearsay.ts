/** What was said of an account, as far as a pool could have heard it, and what follows from that alone. */
import { minute } from './spans.js'

export interface Said {
  used: number
  /** Stated reset, or null. */
  resetsAt: number | null
  at: number
}

export interface Hearsay {
  windows: Map<string, Said>
  /** When a wall of this kind was last met. */
  walls: Map<string, Said>
  /** Last probe, whether or not it said anything, and last one that did. */
  asked: number
  answered: number
  /** Last reading of a window that binds all. */
  read: number
  loggedOut: boolean
  faults: number
  faultAt: number
  restsUntil: number
  trial: string | null
  probes: number[]
}

export const nothingHeard = (): Hearsay => ({
  windows: new Map(),
  walls: new Map(),
  asked: -Infinity,
  answered: -Infinity,
  read: -Infinity,
  loggedOut: false,
  faults: 0,
  faultAt: -Infinity,
  restsUntil: 0,
  trial: null,
  probes: [],
})

export function forgetOutdated(heard: Hearsay, now: number): void {
  for (const [kind, wall] of heard.walls) if (contradicted(heard, kind, wall)) heard.walls.delete(kind)
  for (const facts of [heard.windows, heard.walls])
    for (const [kind, fact] of facts) if (kind.includes('opus') && endOf(fact) <= now) facts.delete(kind)
}

/** Whether what was said of the account keeps the model out, rightly or not. */
export function isBarred(
  heard: Hearsay,
  { model, ceiling, wakeMargin }: { model: string; ceiling: number; wakeMargin: number },
  now: number,
): boolean {
  const bars = (kind: string, fact: Said): boolean =>
    fact.used >= ceiling && binds(kind, model) && now < endOf(fact) + wakeMargin
  for (const [kind, fact] of heard.walls)
    if (bars(kind, fact) && !contradicted(heard, kind, fact)) return true
  for (const [kind, fact] of heard.windows) if (bars(kind, fact)) return true
  return false
}

/** Until when a fact has to be believed: its stated reset, or half an hour where none is stated that can be true. */
export function endOf({ resetsAt, at }: Said): number {
  return resetsAt !== null && resetsAt > at ? resetsAt : at + 30 * minute
}

/** A newer reading of the very window shows room. */
export function contradicted(heard: Hearsay, kind: string, wall: Said): boolean {
  const window = heard.windows.get(kind)
  return window !== undefined && window.at > wall.at && window.used < 1
}

export function binds(kind: string, model: string): boolean {
  return !kind.includes('opus') || model.includes('opus')
}
