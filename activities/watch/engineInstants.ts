/** The engine's clock in what a watch is asked and what it observes. */
import type { EngineClock } from '../../host/state/engineClock.js'
import { wallToEngine } from '../../host/state/engineInstants.js'
import type { Observation, WatchRequest } from '../contracts.js'

/** `readings` and `lease` are of the engine's clock already. */
export function observationToEngine(clock: EngineClock, seen: Observation): Observation {
  if (clock.ahead === 0) return seen
  const at = clock.toEngine(seen.at)
  if (!('wall' in seen) || seen.wall === null) return { ...seen, at }
  switch (seen.kind) {
    case 'walled':
    case 'spent':
      return { ...seen, at, wall: wallToEngine(clock, seen.wall) }
    case 'near-limit':
      return { ...seen, at, wall: wallToEngine(clock, seen.wall) }
  }
}

export const requestToHost = (clock: EngineClock, request: WatchRequest): WatchRequest =>
  request.stayUntil === null ? request : { ...request, stayUntil: clock.toHost(request.stayUntil) }
