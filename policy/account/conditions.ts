/** Conditions of an account whose beginning and end are events: walls, a limit that is near, a lost login. */
import type { AccountReading, AccountRole, Wall, WallScope, Window } from './account.js'
import { toMs } from '../instants.js'
import { currentWalls } from './walls.js'
import { moveThreshold, nearLimit } from './windows.js'

export type AccountCondition =
  | { kind: 'wall'; scope: WallScope; wall: Wall; wasHit: boolean }
  | { kind: 'near-limit'; window: Window }
  | { kind: 'login' }

export interface ConditionRules {
  role: AccountRole
  /** The pool's share from which on sessions leave an account. */
  moveAt: number
  ceiling: number
  wakeMargin: number
}

export const wallKey = (scope: string): string => `wall ${scope}`

/** Identifies a condition of an account: one of each key holds at a time. */
export const conditionKey = (condition: AccountCondition): string =>
  condition.kind === 'wall' ? wallKey(condition.scope) : condition.kind

/** The conditions that hold now. One of each key. */
export function conditionsOf(
  reading: AccountReading,
  rules: ConditionRules,
  now: number,
): AccountCondition[] {
  const { role, moveAt, ceiling, wakeMargin } = rules
  const walls = currentWalls(reading.walls, reading.windows, wakeMargin, now)
    .filter(({ lapsed }) => !lapsed)
    .map(({ wall, wasHit }): AccountCondition => ({ kind: 'wall', scope: wall.scope, wall, wasHit }))
  const near =
    role === 'pool' ? nearLimit(reading.windows, null, moveThreshold(moveAt, ceiling), wakeMargin, now) : null
  return [
    ...(reading.login === 'out' ? [{ kind: 'login' } as const] : []),
    ...new Map(walls.map((wall) => [conditionKey(wall), wall])).values(),
    ...(near === null ? [] : [{ kind: 'near-limit', window: near } as const]),
  ]
}

/** When a wall of the account ends by time alone, or null. Milliseconds since the epoch. */
export function nextConditionEnd(reading: AccountReading, wakeMargin: number, now: number): number | null {
  const walls = currentWalls(reading.walls, reading.windows, wakeMargin, now)
  const ends = walls.filter(({ lapsed }) => !lapsed).map(({ end }) => end + wakeMargin)
  const resets = reading.windows.flatMap(({ resetsAt }) =>
    resetsAt === null || toMs(resetsAt) + wakeMargin <= now ? [] : [toMs(resetsAt) + wakeMargin],
  )
  return ends.length + resets.length === 0 ? null : Math.min(...ends, ...resets)
}
