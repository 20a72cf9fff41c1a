/** A host whose clock is off by minutes: what it reports to the pool is in the engine's time. */
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
const observation: SessionObservation = {
  ...{ kind: 'walled', wall, readings: [], at: at(now), transcriptTo: 7, wasWorking: true },
}

/** As the pool sees it: whether the account that the session comes from counts as due again. */
const lapses = (wall: Wall, engineNow: number): boolean => currentWalls([wall], [], 0, engineNow)[0]!.lapsed

const clockOf = (ahead: number): EngineClock => {
  const clock = new EngineClock(() => now)
  clock.setAhead(ahead)
  return clock
}

describe('law 4: a clock that is off by minutes', () => {
  it('law 4: a wall that an account has just met holds for the pool, however far the engine is ahead', () => {
    const clock = clockOf(10 * minute)
    // Without the correction the pool, ten minutes ahead, takes the reset for past, and the session returns
    // to the account that it left.
    expect(lapses(wall, now + 10 * minute)).toBe(true)
    const shifted = observationToEngine(clock, observation)
    if (shifted.kind !== 'walled') throw new Error(shifted.kind)
    expect(lapses(shifted.wall, clock.now())).toBe(false)
    expect(lapses(shifted.wall, clock.now() + 3 * minute)).toBe(true)
    expect(shifted.at).toBe(at(now + 10 * minute))
    const [kept] = readingToEngine(clock, { ...emptyReading('alice'), walls: [wall] }).walls
    expect(kept).toEqual(shifted.wall)
  })

  it('law 4: if the engine is behind, timestamps are moved back with it, and a reset is never moved to before now', () => {
    const clock = clockOf(-10 * minute)
    const window = {
      name: 'five_hour',
      used: 1,
      source: 'status-line' as const,
      readAt: at(now),
      resetsAt: wall.resetsAt,
    }
    const shifted = readingToEngine(clock, {
      ...emptyReading('alice'),
      windows: [window],
      walls: [wall],
      probedAt: at(now),
    })
    expect(shifted).toMatchObject({
      windows: [{ readAt: at(now - 10 * minute), resetsAt: wall.resetsAt }],
      walls: [{ at: at(now - 10 * minute), resetsAt: wall.resetsAt }],
      probedAt: at(now - 10 * minute),
    })
    const request = { stayUntil: at(now) } as WatchRequest
    expect(requestToHost(clock, request).stayUntil).toBe(at(now + 10 * minute))
  })

  it('law 4: a page that is open is reported with its end in the time of the sessions that wait for it', () => {
    const page = { cwd: null, what: 'a page', remedy: 'answer it', at: at(now), until: at(now + minute) }
    const pages = { host: 'here', at: at(now), open: [page] }
    expect(readingToEngine(clockOf(10 * minute), { ...emptyReading('alice'), pages }).pages).toEqual({
      ...{ host: 'here', at: at(now + 10 * minute) },
      open: [{ ...page, at: at(now + 10 * minute), until: at(now + 11 * minute) }],
    })
  })

  it('law 4: a difference within the noise changes nothing', () => {
    const clock = clockOf(900)
    expect(observationToEngine(clock, observation)).toBe(observation)
    expect(clock.now()).toBe(now)
  })

  it('law 4: each step that starts shows by how much the engine is ahead at least; one that had to wait shows nothing', async () => {
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
