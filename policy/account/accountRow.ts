/** The rows of `outpool accounts --json`. */
import {
  defaultTiming,
  isDisabled,
  type AccountFacts,
  type AccountRole,
  type AccountState,
  type OpenPage,
  type Timing,
  type Window,
} from './account.js'
import type { SimulatedWall } from '../pool/lease.js'
import { toMs } from '../instants.js'
import { openPages } from '../session/startPages.js'
import { duplicateOf } from './eligibility.js'
import { walledUntil, currentWalls } from './walls.js'
import {
  accountWindows,
  moveThreshold,
  lastRead,
  modelOfWindow,
  nearLimit,
  outdatedSince,
} from './windows.js'

export interface WindowRow extends Window {
  /** True if this budget refuses now. A model's wall shows only here: the account stays `ready` for other models. */
  walled: boolean
}

export interface AccountRow {
  name: string
  role: AccountRole
  windows: WindowRow[]
  /** Until when the whole account refuses, or null. */
  walledUntil: string | null
  /** The sessions that hold a lease here. */
  leases: string[]
  state: AccountState
  /** Pages that keep sessions from being started here until a person has answered them. */
  pages: OpenPage[]
  /** Whether its sessions leave it at the end of their turns. Absent if they do not. */
  draining?: true
  /** Sessions of drills for which this account counts as walled. Absent while no drill runs. */
  declared?: SimulatedWall[]
}

/** The state of an account. `others` are the accounts of the pool in their order, by which duplicates are found. */
export function accountState(
  facts: AccountFacts,
  moveAt: number,
  now: string,
  others: readonly AccountFacts[] = [],
  timing: Timing = defaultTiming,
): AccountState {
  const at = toMs(now)
  if (isDisabled(facts)) return 'disabled'
  if (facts.role === 'substrate') return substrateState(facts, timing, at)
  if (facts.login === 'out') return 'logged-out'
  if (duplicateOf(others, facts) !== null) return 'duplicate'
  const walls = currentWalls(facts.walls, facts.windows, timing.wakeMargin, at).filter(
    ({ wall }) => wall.scope === 'account',
  )
  if (walls.some(({ lapsed }) => !lapsed)) return 'walled'
  if (walls.length > 0 || facts.trial !== null || !isKnown(facts, timing, at)) return 'unproven'
  // Windows of single models have their own flag: `null` asks for what binds every model.
  const threshold = moveThreshold(moveAt, facts.ceiling)
  return nearLimit(facts.windows, null, threshold, timing.wakeMargin, at) === null ? 'ready' : 'near-limit'
}

/** A key can't be probed: one that does not refuse is ready. */
function substrateState(facts: AccountFacts, timing: Timing, now: number): AccountState {
  const walls = currentWalls(facts.walls, facts.windows, timing.wakeMargin, now)
  return walls.some(({ lapsed }) => !lapsed) ? 'walled' : 'ready'
}

/** Whether the account was ever read, and no window that was read has reset since. An old reading shows its age itself. */
const isKnown = ({ windows }: AccountFacts, timing: Timing, now: number): boolean =>
  lastRead(windows) !== null &&
  windows.every(
    (window) =>
      !accountWindows.includes(window.name) || outdatedSince(window, timing.wakeMargin, now) === null,
  )

export function accountRow(
  facts: AccountFacts,
  moveAt: number,
  now: string,
  others: readonly AccountFacts[] = [],
  timing: Timing = defaultTiming,
): AccountRow {
  return {
    name: facts.name,
    role: facts.role,
    windows: windowRows(facts, toMs(now), timing),
    walledUntil: walledUntil(facts.walls, facts.windows, timing.wakeMargin, toMs(now)),
    leases: facts.leases,
    state: accountState(facts, moveAt, now, others, timing),
    pages: openPages(facts, toMs(now)),
    ...(facts.drain === true ? { draining: true } : {}),
  }
}

/** A wall whose window was never read gets its own row, so that it is visible. */
function windowRows(facts: AccountFacts, now: number, timing: Timing): WindowRow[] {
  const walls = currentWalls(facts.walls, facts.windows, timing.wakeMargin, now).filter(
    ({ lapsed }) => !lapsed,
  )
  const isWallOf = (name: string, { wall }: (typeof walls)[number]): boolean =>
    wall.kind === name || (wall.scope !== 'account' && wall.scope === `model:${modelOfWindow(name) ?? ''}`)
  const rows = facts.windows.map((window) => ({
    ...window,
    walled: walls.some((wall) => isWallOf(window.name, wall)),
  }))
  const unseen = walls.filter(
    (wall) => wall.wall.scope !== 'account' && !facts.windows.some(({ name }) => isWallOf(name, wall)),
  )
  return [
    ...rows,
    ...unseen.map(({ wall }): WindowRow => ({
      name: wall.kind,
      used: 1,
      resetsAt: wall.resetsAt,
      readAt: wall.at,
      source: 'wall',
      walled: true,
    })),
  ]
}
