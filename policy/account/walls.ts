/** Walls: which ones are in force, until when, and what proves that one has ended. */
import type { Wall, WallScope, Window } from './account.js'
import { iso, toMs } from '../instants.js'
import { accountWindows, familyBinds, isSameReset, isUnknownModel, modelOfWindow } from './windows.js'

/**
 * How long a wall without a usable reset is believed. Short enough that no session waits for hours in vain, long enough that an account
 * that still refuses is not tried at every turn. Not configurable: pool, hosts and commands each judge walls, and must agree.
 */
export const assumedWallDuration = 30 * 60_000

/** A wall that ended this long ago is forgotten. */
const retentionAfterEnd = 24 * 3_600_000
const wallsMax = 16
const evidenceMax = 300

const familyOf = (scope: WallScope): string | null =>
  scope === 'account' ? null : scope.slice('model:'.length)

/**
 * The agent's default model is bound by every wall that a session met: otherwise a session could be sent back to the wall that it
 * came from. A full scoped window alone does not bind it.
 */
export function wallBinds({ wall, wasHit }: CurrentWall, model: string | null): boolean {
  const family = familyOf(wall.scope)
  if (family === null) return true
  return isUnknownModel(model) ? wasHit : familyBinds(family, model)
}

/**
 * The wall with the scope that the session's model proves: if a session with another model met it, it binds the whole account, whatever
 * its name says. Names of claims change, and a session must not be sent back to a wall that it met.
 */
export function attributeWall(wall: Wall, model: string | null): Wall {
  const family = familyOf(wall.scope)
  if (family === null || isUnknownModel(model) || familyBinds(family, model)) return wall
  return { ...wall, scope: 'account' }
}

/** When the wall should end, without `wakeMargin`. A reset before the refusal was wrong, and counts as unknown. */
function wallEnd(wall: Wall): number {
  const at = toMs(wall.at)
  const resetsAt = wall.resetsAt === null ? null : toMs(wall.resetsAt)
  return resetsAt !== null && resetsAt > at ? resetsAt : at + assumedWallDuration
}

/**
 * Whether the readings prove that the wall has ended: a reading of its window that is newer than the wall and shows room. A status line
 * that is written after a wall shows the answer before it, unless it names another reset.
 */
function isDisproved(wall: Wall, windows: readonly Window[]): boolean {
  const at = toMs(wall.at)
  const newer = windows.filter(
    (window) =>
      toMs(window.readAt) > at &&
      !(window.source === 'status-line' && isSameReset(window.resetsAt, wall.resetsAt)),
  )
  if (newer.length === 0) return false
  const own = newer.filter((window) => isOwnWindow(wall, window.name))
  if (own.length > 0) return own.every((window) => window.used < 1)
  // A refusal for money (`overage`, `spend`, ...) comes when the windows are used up: it has ended if they have room.
  // A wall whose window is known to exist waits for a reading of that window.
  if (familyOf(wall.scope) !== null || accountWindows.includes(wall.kind)) return false
  const ofAccount = newer.filter((window) => accountWindows.includes(window.name))
  return ofAccount.length > 0 && ofAccount.every((window) => window.used < 1)
}

function isOwnWindow(wall: Wall, name: string): boolean {
  if (name === wall.kind) return true
  const family = familyOf(wall.scope)
  return family !== null && modelOfWindow(name) === family
}

const isSameWall = (a: Wall, b: Wall): boolean => a.kind === b.kind && a.scope === b.scope

/** Adds a report. Repeated reports of one wall count once; one that newer readings contradict changes nothing. */
export function mergeWall(known: readonly Wall[], reported: Wall, windows: readonly Window[]): Wall[] {
  if (isDisproved(reported, windows)) return [...known]
  const before = known.find((wall) => isSameWall(wall, reported))
  const merged = before === undefined ? reported : mergeReports(before, reported)
  const kept = known.filter((wall) => wall !== before)
  return [...kept, { ...merged, evidence: merged.evidence.slice(0, evidenceMax) }].slice(-wallsMax)
}

/** The newer report counts; if it names no reset, the older one's reset is kept. */
function mergeReports(one: Wall, other: Wall): Wall {
  const [older, newer] = toMs(one.at) <= toMs(other.at) ? [one, other] : [other, one]
  if (toMs(newer.at) === toMs(older.at)) return wallEnd(older) > wallEnd(newer) ? older : newer
  const olderHolds = older.resetsAt !== null && toMs(older.resetsAt) > toMs(newer.at)
  return newer.resetsAt === null && olderHolds ? { ...newer, resetsAt: older.resetsAt } : newer
}

/** The walls that are kept: not proven to have ended, and not long past. */
export const pruneWalls = (walls: readonly Wall[], windows: readonly Window[], now: number): Wall[] =>
  walls.filter((wall) => now < wallEnd(wall) + retentionAfterEnd && !isDisproved(wall, windows))

/** A full window is a wall too, whether or not a session ran into it. */
function wallOfWindow(window: Window): Wall {
  const family = modelOfWindow(window.name)
  return {
    kind: window.name,
    scope: family === null ? 'account' : `model:${family}`,
    resetsAt: window.resetsAt,
    evidence: `${window.source} of ${window.readAt}: all used`,
    at: window.readAt,
  }
}

export interface CurrentWall {
  wall: Wall
  /** When it should end, without `wakeMargin`. */
  end: number
  /** Whether a session ran into it; false for a window that was only read as full. */
  wasHit: boolean
  /** True once `end` and `wakeMargin` have passed: the account is then due for a probe, not free. */
  lapsed: boolean
}

/** Every wall that newer readings do not contradict, of all models. One kind and scope appears once. */
export function currentWalls(
  walls: readonly Wall[],
  windows: readonly Window[],
  wakeMargin: number,
  now: number,
): CurrentWall[] {
  let facts = walls.filter((wall) => !isDisproved(wall, windows))
  for (const window of windows) if (window.used >= 1) facts = mergeWall(facts, wallOfWindow(window), windows)
  return facts.map((wall) => {
    const end = wallEnd(wall)
    const wasHit = walls.some((reported) => isSameWall(reported, wall))
    return { wall, end, wasHit, lapsed: now >= end + wakeMargin }
  })
}

/** When the last wall of the whole account ends, or null if there is none. */
export function walledUntil(
  walls: readonly Wall[],
  windows: readonly Window[],
  wakeMargin: number,
  now: number,
): string | null {
  let until: number | null = null
  for (const { wall, end, lapsed } of currentWalls(walls, windows, wakeMargin, now))
    if (wall.scope === 'account' && !lapsed) until = Math.max(until ?? 0, end)
  return until === null ? null : iso(until)
}
