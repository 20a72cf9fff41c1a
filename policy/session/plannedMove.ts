/** Whether a session leaves its account at the end of a turn, before it meets the wall. */
import type { AccountReading, Wall } from '../account/account.js'
import { formatClock, percent, toMs } from '../instants.js'
import { wallBinds, currentWalls } from '../account/walls.js'
import { announcedReset, isUnknownModel, nearLimit } from '../account/windows.js'

export interface MoveCriteria {
  model: string | null
  /** The used share from which on it moves: the lower of the account's ceiling and the pool's `moveAt`. */
  moveThreshold: number
  /** Set after a move found no better place: no further one before this instant. */
  stayUntil: string | null
  wakeMargin: number
  /** Whether the account is being drained, or is no longer configured. Default: false. */
  isLeaving?: boolean
}

export interface PlannedMove {
  cause: 'near-limit' | 'login' | 'move'
  why: string
  /** The wall that another session met, if that is the reason. */
  wall: Wall | null
}

/** Only for the end of a turn: a turn in progress is never ended for a planned move. Null: stay. */
export function shouldMove(
  reading: Pick<AccountReading, 'account' | 'windows' | 'walls' | 'login'>,
  { model, moveThreshold, stayUntil, wakeMargin, isLeaving = false }: MoveCriteria,
  now: string,
): PlannedMove | null {
  const at = toMs(now)
  if (stayUntil !== null && at < toMs(stayUntil)) return null
  if (reading.login === 'out') return { cause: 'login', why: `${reading.account} is logged out`, wall: null }
  if (isLeaving) return { cause: 'move', why: `${reading.account} is to be left`, wall: null }
  const wall = currentWalls(reading.walls, reading.windows, wakeMargin, at).find(
    (current) =>
      !current.lapsed &&
      // A session on the agent's default model does not leave for the wall of a named model.
      (current.wall.scope === 'account' || (!isUnknownModel(model) && wallBinds(current, model))),
  )
  if (wall !== undefined)
    return {
      cause: 'near-limit',
      why: `${reading.account} walled until ${formatClock(wall.end, at)}`,
      wall: wall.wall,
    }
  const near = nearLimit(reading.windows, model, moveThreshold, wakeMargin, at)
  if (near === null) return null
  const reset = announcedReset(near)
  const resets = reset === null ? '' : `, resets ${formatClock(reset, at)}`
  return {
    cause: 'near-limit',
    why: `${reading.account} at ${percent(near.used)} of ${near.name}${resets}`,
    wall: null,
  }
}
