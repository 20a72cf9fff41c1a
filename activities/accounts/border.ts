/** What a host tells of accounts, by the engine's clock: everything with an instant passes here on its way to a workflow. */
import type { AccountReading, HostPages, Wall } from '../../policy/account/account.js'
import type { Observation, WatchRequest } from '../contracts.js'
import type { EngineClock } from '../../host/state/engineClock.js'

export function readingToEngine(clock: EngineClock, reading: AccountReading): AccountReading {
  if (clock.ahead === 0) return reading
  const stamp = (at: string | null): string | null => (at === null ? null : clock.toEngine(at))
  return {
    ...reading,
    windows: reading.windows.map((window) => ({
      ...window,
      resetsAt: window.resetsAt === null ? null : clock.resetToEngine(window.resetsAt),
      readAt: clock.toEngine(window.readAt),
    })),
    walls: reading.walls.map((wall) => wallToEngine(clock, wall)),
    loginAt: stamp(reading.loginAt),
    probedAt: stamp(reading.probedAt),
    ...(reading.pages === undefined ? {} : { pages: pagesToEngine(clock, reading.pages) }),
  }
}

const pagesToEngine = (clock: EngineClock, { host, at, standing }: HostPages): HostPages => ({
  host,
  at: clock.toEngine(at),
  standing: standing.map((page) => ({
    ...page,
    at: clock.toEngine(page.at),
    until: clock.toEngine(page.until),
  })),
})

export const wallToEngine = (clock: EngineClock, wall: Wall): Wall => ({
  ...wall,
  resetsAt: wall.resetsAt === null ? null : clock.resetToEngine(wall.resetsAt),
  at: clock.toEngine(wall.at),
})

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
