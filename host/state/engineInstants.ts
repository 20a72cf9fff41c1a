/** Converts instants of a host's readings to the engine's clock before a workflow gets them, and those of a workflow's events back. */
import type { AccountReading, HostPages, Wall } from '../../policy/account/account.js'
import type { EventDraft } from '../../config/events/schema.js'
import type { EngineClock } from './engineClock.js'

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

const pagesToEngine = (clock: EngineClock, { host, at, open }: HostPages): HostPages => ({
  host,
  at: clock.toEngine(at),
  open: open.map((page) => ({
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

export function eventToHost(clock: EngineClock, event: EventDraft): EventDraft {
  if (clock.ahead === 0) return event
  const reset = (at: string | null): string | null => (at === null ? null : clock.resetToHost(at))
  const moment = (at: string | null): string | null => (at === null ? null : clock.toHost(at))
  const at = clock.toHost(event.at)
  switch (event.kind) {
    case 'session-walled':
      return { ...event, at, resetsAt: reset(event.resetsAt) }
    case 'session-moved':
      return { ...event, at, wall: event.wall && { ...event.wall, resetsAt: reset(event.wall.resetsAt) } }
    case 'session-parked':
      return {
        ...{ ...event, at, until: moment(event.until) },
        wall: event.wall && { ...event.wall, resetsAt: reset(event.wall.resetsAt) },
      }
    case 'session-crashed':
      return { ...event, at, retryAt: clock.toHost(event.retryAt) }
    default:
      return { ...event, at }
  }
}
