/** Converts the instants of watch requests and observations between the engine's clock and the host's. */
import type { EngineClock } from '../../host/state/engineClock.js'
import { wallToEngine } from '../../host/state/engineInstants.js'
import type { SessionObservation, WatchRequest } from '../contracts.js'

/** `readings` and `lease` are in the engine's clock already. */
export function observationToEngine(clock: EngineClock, observation: SessionObservation): SessionObservation {
  if (clock.ahead === 0) return observation
  const at = clock.toEngine(observation.at)
  if (!('wall' in observation) || observation.wall === null) return { ...observation, at }
  switch (observation.kind) {
    case 'walled':
    case 'spent':
      return { ...observation, at, wall: wallToEngine(clock, observation.wall) }
    case 'near-limit':
      return { ...observation, at, wall: wallToEngine(clock, observation.wall) }
  }
}

export const requestToHost = (clock: EngineClock, request: WatchRequest): WatchRequest =>
  request.stayUntil === null ? request : { ...request, stayUntil: clock.toHost(request.stayUntil) }
