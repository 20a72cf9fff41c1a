/** The arithmetic of budgets: which reading counts, which window binds a model, how much room is left. */
import type { Window } from './account.js'
import { toMs } from '../instants.js'

/** The windows that bind every model. All others are scoped to one. */
export const accountWindows: readonly string[] = ['five_hour', 'seven_day']

/** Claim names that do not end with the name of their model. */
const modelOfClaim: Readonly<Record<string, string>> = { seven_day_overage_included: 'fable' }

/** The window for the budget that the owner gives a substrate. It binds every model. */
export const budgetWindow = 'budget'

const hour = 3_600_000

/** The length of a window in milliseconds, with which its name begins. Unknown names count as weekly. */
export const windowLength = (name: string): number => (name.startsWith('five_hour') ? 5 * hour : 168 * hour)

/** The model family that a window or claim is scoped to, such as `opus` for `seven_day_opus`; null if it binds all models. */
export function modelOfWindow(name: string): string | null {
  if (accountWindows.includes(name) || name === budgetWindow) return null
  return modelOfClaim[name] ?? name.replace(/^(?:five_hour|seven_day|weekly|monthly)_(?:scoped_)?/, '')
}

/** Whether the model is the agent's default, whose name is not known. */
export const isUnknownModel = (model: string | null): model is null | 'default' =>
  model === null || model === 'default'

/** Whether a family such as `opus` includes a model such as `claude-opus-4-5`. */
export function familyBinds(family: string, model: string): boolean {
  const [one, other] = [family.toLowerCase(), model.toLowerCase()]
  return other.includes(one) || one.includes(other)
}

/** An unknown model is held back by no scoped window: an account would be lost to it for a budget that it may not use. */
export function bindsModel(windowName: string, model: string | null): boolean {
  const family = modelOfWindow(windowName)
  return family === null || (!isUnknownModel(model) && familyBinds(family, model))
}

/** Whether two readings of a window have the same values, apart from their instants. */
const sameReading = (a: Window, b: Window): boolean =>
  a.name === b.name && a.used === b.used && a.resetsAt === b.resetsAt

/**
 * Whether the source repeats old data under new instants, as a status line does: there, an unchanged reading is not newer. Every other
 * source gives the instant of its data, which may be the same for an account that is not used.
 */
const isRepeatingSource = ({ source }: Window): boolean => source === 'status-line'

/** Sources state the reset of one and the same window with different precision. Milliseconds. */
const sameResetTolerance = 60_000

/** Whether both resets are known and end the same window. */
export const isSameReset = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && Math.abs(toMs(a) - toMs(b)) <= sameResetTolerance

/** Percentages of different sources are rounded differently. */
const roundingTolerance = 0.01

/**
 * Whether `reported` shows clearly less used than is known of the same window. Use only grows until the reset, so the status line
 * shows the answer to an earlier request: each session on an account repeats what the account had used at that session's last one.
 */
const isOvertaken = (known: Window, reported: Window): boolean =>
  isRepeatingSource(reported) &&
  reported.used < known.used - roundingTolerance &&
  isSameReset(known.resetsAt, reported.resetsAt)

/** Of two readings of one window, the one that counts: the newer one, unless it is overtaken, then the one with more used. */
function newer(known: Window, reported: Window): Window {
  if (isOvertaken(reported, known)) return reported
  const [knownAt, reportedAt] = [toMs(known.readAt), toMs(reported.readAt)]
  if (reportedAt !== knownAt) return reportedAt > knownAt ? reported : known
  return reported.used > known.used ? reported : known
}

/** More windows than any agent has: a bug in a report must not fill the pool's memory. */
const maxWindows = 16

/**
 * Merges the windows of a report. A report from a source that repeats itself does not count as newer if it is unchanged, or if any of
 * its windows is overtaken; otherwise all of its windows are new. Keeps the order of first appearance.
 */
export function mergeWindows(known: readonly Window[], reported: readonly Window[]): Window[] {
  const merged = new Map(known.map((window) => [window.name, window]))
  const isKnown = (window: Window): boolean => {
    const before = merged.get(window.name)
    return before !== undefined && sameReading(before, window)
  }
  const isPast = (window: Window): boolean => {
    const before = merged.get(window.name)
    return before !== undefined && isOvertaken(before, window)
  }
  const repeating = reported.filter(isRepeatingSource)
  const isRepeated = repeating.every(isKnown) || repeating.some(isPast)
  for (const window of reported) {
    const before = merged.get(window.name)
    if (before === undefined) {
      if (merged.size < maxWindows) merged.set(window.name, window)
    } else if (!(isRepeated && isRepeatingSource(window))) merged.set(window.name, newer(before, window))
  }
  return [...merged.values()]
}

/**
 * The reset that this reading announces, or null. A reset before the reading itself is disproved by it, and ignored.
 */
export function announcedReset(window: Window): number | null {
  const resetsAt = window.resetsAt === null ? null : toMs(window.resetsAt)
  return resetsAt !== null && resetsAt > toMs(window.readAt) ? resetsAt : null
}

/**
 * When the reading became invalid because the window has reset since; null while it is valid. Without an announced reset, the window
 * has reset after its whole length at the latest.
 */
export function outdatedSince(window: Window, wakeMargin: number, now: number): number | null {
  const ends = (announcedReset(window) ?? toMs(window.readAt) + windowLength(window.name)) + wakeMargin
  return now >= ends ? ends : null
}

/** The windows that bind the model and whose reading is still valid. */
export const bindingWindows = (
  windows: readonly Window[],
  model: string | null,
  wakeMargin: number,
  now: number,
): Window[] =>
  windows.filter(
    (window) => bindsModel(window.name, model) && outdatedSince(window, wakeMargin, now) === null,
  )

/** The window with the least room; of equals the one that resets last. Null if none is known. */
export function tightestWindow(windows: readonly Window[]): Window | null {
  let tightest: Window | null = null
  for (const window of windows) {
    if (tightest === null || window.used > tightest.used) tightest = window
    else if (window.used === tightest.used && (resetOf(window) ?? Infinity) > (resetOf(tightest) ?? Infinity))
      tightest = window
  }
  return tightest
}
const resetOf = announcedReset

/** The share from which on a session leaves an account at the end of its turn. */
export const moveThreshold = (moveAt: number, ceiling: number): number => Math.min(moveAt, ceiling)

/** The tightest window of the model if it has reached `share`, else null. */
export function nearLimit(
  windows: readonly Window[],
  model: string | null,
  share: number,
  wakeMargin: number,
  now: number,
): Window | null {
  const tightest = tightestWindow(bindingWindows(windows, model, wakeMargin, now))
  return tightest !== null && tightest.used >= share ? tightest : null
}

/** When the account as a whole was last read, or null. */
export function lastRead(windows: readonly Window[]): number | null {
  let last: number | null = null
  for (const window of windows)
    if (accountWindows.includes(window.name)) last = Math.max(last ?? -Infinity, toMs(window.readAt))
  return last
}
