/** Converts every instant of a host's readings to the engine's clock before a workflow gets them. */
import type { AccountReading, HostPages, Wall } from '../../policy/account/account.js'
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
