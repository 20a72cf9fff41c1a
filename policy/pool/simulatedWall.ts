/**
 * The simulated wall of a drill: for one session every account of the pool counts as walled, until the wall is lifted or its time is
 * over, also if the drill crashes. No other session is affected. Instants are ISO 8601 in UTC.
 */
import type { SimulatedWall } from './lease.js'
import type { PoolState } from './poolState.js'
import { iso, toMs } from '../instants.js'

/** The longest time of a simulated wall, in milliseconds. */
export const maxSimulatedWall = 60 * 60_000

export const simulateWall = (
  state: PoolState,
  { session, until }: SimulatedWall,
  now: string,
): PoolState => ({
  ...state,
  simulatedWalls: [
    ...unexpiredWalls(state.simulatedWalls, now).filter((one) => one.session !== session),
    { session, until: iso(Math.min(toMs(until), toMs(now) + maxSimulatedWall)) },
  ],
})

export const liftWall = (state: PoolState, session: string): PoolState => ({
  ...state,
  simulatedWalls: (state.simulatedWalls ?? []).filter((one) => one.session !== session),
})

/** The state without the walls whose time is over. */
export const withoutExpiredWalls = (state: PoolState, now: string): PoolState =>
  state.simulatedWalls === undefined
    ? state
    : { ...state, simulatedWalls: unexpiredWalls(state.simulatedWalls, now) }

/** The walls whose time is not over. */
export const unexpiredWalls = (walls: readonly SimulatedWall[] | undefined, now: string): SimulatedWall[] =>
  (walls ?? []).filter(({ until }) => toMs(until) > toMs(now))

/** Until when every account counts as walled for this session, or null. `now` in milliseconds. */
export function simulatedWallUntil(
  { simulatedWalls }: PoolState,
  session: string,
  now: number,
): number | null {
  const found = (simulatedWalls ?? []).find((one) => one.session === session)
  return found !== undefined && toMs(found.until) > now ? toMs(found.until) : null
}
