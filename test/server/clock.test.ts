/** A host whose clock is off by minutes: what it tells the pool is by the engine's clock. */
import { MockActivityEnvironment } from '@temporalio/testing'
import { describe, expect, it } from 'vitest'
import { observationToEngine, requestToHost } from '../../activities/watch/engineInstants.js'
import { readingToEngine } from '../../host/state/engineInstants.js'
import { EngineClock } from '../../host/state/engineClock.js'
import type { SessionObservation, WatchRequest } from '../../activities/contracts.js'
import { emptyReading, type Wall } from '../../policy/account/account.js'
import { currentWalls } from '../../policy/account/walls.js'
import { PendingResults } from '../../worker/connection/pendingResults.js'

const minute = 60_000
const at = (ms: number): string => new Date(ms).toISOString()
const now = Date.UTC(2026, 10, 29, 12)

const wall: Wall = {
  ...{ kind: 'five_hour', scope: 'account', evidence: 'apiError usage_limit_reached' },
  ...{ at: at(now), resetsAt: at(now + 3 * minute) },
}
const seen: SessionObservation = {
  ...{ kind: 'walled', wall, readings: [], at: at(now), transcriptTo: 7, wasWorking: true },
}

/** As the pool sees it: whether the account that the session comes from counts as due again. */
const lapses = (told: Wall, engineNow: number): boolean => currentWalls([told], [], 0, engineNow)[0]!.lapsed

const clockOf = (ahead: number): EngineClock => {
  const clock = new EngineClock(() => now)
  clock.setAhead(ahead)
  return clock
}

describe('law 4: a clock that is off by minutes', () => {
  it('law 4: a wall that an account has just met stands for the pool, however far the engine is ahead', () => {
    const clock = clockOf(10 * minute)
    // Without the mend the pool, ten minutes on, takes the reset for past, and the session goes from the account to itself.
    expect(lapses(wall, now + 10 * minute)).toBe(true)
    const told = observationToEngine(clock, seen)
    if (told.kind !== 'walled') throw new Error(told.kind)
    expect(lapses(told.wall, clock.now())).toBe(false)
    expect(lapses(told.wall, clock.now() + 3 * minute)).toBe(true)
    expect(told.at).toBe(at(now + 10 * minute))
    const [kept] = readingToEngine(clock, { ...emptyReading('alice'), walls: [wall] }).walls
    expect(kept).toEqual(told.wall)
  })

  it('law 4: where the engine is behind, stamps go back with it, and a reset is not moved to before it is', () => {
    const clock = clockOf(-10 * minute)
    const window = {
      name: 'five_hour',
      used: 1,
      source: 'status-line' as const,
      readAt: at(now),
      resetsAt: wall.resetsAt,
    }
    const told = readingToEngine(clock, {
      ...emptyReading('alice'),
      windows: [window],
      walls: [wall],
      probedAt: at(now),
    })
    expect(told).toMatchObject({
      windows: [{ readAt: at(now - 10 * minute), resetsAt: wall.resetsAt }],
      walls: [{ at: at(now - 10 * minute), resetsAt: wall.resetsAt }],
      probedAt: at(now - 10 * minute),
    })
    const request = { stayUntil: at(now) } as WatchRequest
    expect(requestToHost(clock, request).stayUntil).toBe(at(now + 10 * minute))
  })

  it('law 4: a page that stands is told of with its end by the clock of those who wait for it', () => {
    const page = { cwd: null, what: 'a page', remedy: 'answer it', at: at(now), until: at(now + minute) }
    const pages = { host: 'here', at: at(now), open: [page] }
    expect(readingToEngine(clockOf(10 * minute), { ...emptyReading('alice'), pages }).pages).toEqual({
      ...{ host: 'here', at: at(now + 10 * minute) },
      open: [{ ...page, at: at(now + 10 * minute), until: at(now + 11 * minute) }],
    })
  })

  it('law 4: what is no more than noise changes nothing', () => {
    const clock = clockOf(900)
    expect(observationToEngine(clock, seen)).toBe(seen)
    expect(clock.now()).toBe(now)
  })

  it('law 4: each step that begins tells how far the engine is ahead at least; one that had to wait changes nothing', async () => {
    const clock = new EngineClock()
    const results = new PendingResults(({ info }) =>
      clock.noteScheduledAt(info.currentAttemptScheduledTimestampMs),
    )
    const begin = (scheduled: number): Promise<unknown> =>
      new MockActivityEnvironment(
        { currentAttemptScheduledTimestampMs: scheduled },
        { interceptors: [results.interceptor] },
      ).run(() => Promise.resolve())
    await begin(Date.now() - 30 * minute)
    expect(clock.ahead).toBe(0)
    await begin(Date.now() + 6 * minute)
    expect(Math.round(clock.ahead / minute)).toBe(6)
    await begin(Date.now() - 30 * minute)
    expect(Math.round(clock.ahead / minute)).toBe(6)
  })
})
