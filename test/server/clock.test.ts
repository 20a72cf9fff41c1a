/** A host whose clock is off by minutes: what it reports to the pool is in the engine's time. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServiceContext } from '../../activities/services/serviceContext.js'
import { watchService } from '../../activities/services/watch.js'
import { verifyService } from '../../activities/services/verify.js'
import { pendingWakeUps } from '../../activities/session/plannedWakeUps.js'
import { recordTurnFailure } from '../../activities/watch/turnFailures.js'
import { openHome } from '../../config/state/home.js'
import { parseConfig } from '../../config/load/load.js'
import { Host } from '../../host/host.js'
import { decide, requestLease } from '../../policy/pool/transitions.js'
import { grantedTo, leaseRequest, poolState, spec } from '../policy/builders.js'
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

describe('law 4: a host whose clock is off by minutes', () => {
  let dir: string
  let host: Host

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'outpool-clock-'))
    for (const name of ['alice', 'bob', 'medic']) mkdirSync(join(dir, name))
    const accounts = ['alice', 'bob'].map((name) => `{ name: ${name}, configDir: ${join(dir, name)} }`)
    const bot =
      '{ name: bot, pidFile: pid, heartbeat: { file: beat, staleAfter: 1h }, wakeUp: { prompt: x } }'
    host = new Host(
      openHome({ OUTPOOL_HOME: join(dir, 'state') }),
      parseConfig(
        `pool: { accounts: [${accounts.join()}] }\nreserved: [{ name: medic, configDir: ${join(dir, 'medic')} }]\nservices: [${bot}]\n`,
        join(dir, 'outpool.yaml'),
        {},
      ),
    )
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it.each([10, -10])(
    'law 4: a rescue never leads back to the account that refused, with the engine %i minutes ahead',
    (ahead) => {
      host.clock.setAhead(ahead * minute)
      const here = Date.now()
      const window = { name: 'five_hour', used: 0.5, source: 'usage-probe' as const }
      for (const name of ['alice', 'bob']) {
        host.quota.recordLogin(name, 'in', at(here - minute))
        const read = { readAt: at(here - minute), resetsAt: at(here + 60 * minute) }
        host.quota.recordWindows(name, [{ ...window, ...read }])
      }
      const met: Wall = { ...wall, at: at(here), resetsAt: at(here + 3 * minute) }
      recordTurnFailure(host, { kind: 'account', name: 'alice' }, null, { class: 'wall', wall: met })
      const readings = host.engineReadings()
      const engine = at(host.clock.now())
      const request = leaseRequest('s', {
        cause: 'wall',
        from: 'alice',
        prefer: 'alice',
        readings,
        at: engine,
      })
      const pool = requestLease(poolState(spec('alice'), spec('bob')), request, engine)
      expect(grantedTo(decide(pool, engine))).toEqual({ s: 'bob' })
    },
  )

  it('law 4: a wall that is met after the clock of the host was set back holds, whatever was read before', () => {
    const recordWindows = (readAt: number): void => {
      for (const name of ['alice', 'bob']) {
        const window = { name: 'five_hour', used: 0.5, source: 'usage-probe' as const }
        const resetsAt = at(readAt + 60 * minute)
        host.quota.recordWindows(name, [{ ...window, readAt: at(readAt), resetsAt }])
        host.quota.recordLogin(name, 'in', at(readAt))
      }
    }
    const here = Date.now()
    const ahead = vi.spyOn(Date, 'now').mockReturnValue(here + 60 * minute)
    recordWindows(here + 60 * minute)
    ahead.mockRestore()
    expect(host.quota.read('bob')).toMatchObject({ windows: [], login: 'in' })
    recordWindows(here - minute)
    const met: Wall = { ...wall, at: at(here), resetsAt: at(here + 3 * minute) }
    recordTurnFailure(host, { kind: 'account', name: 'alice' }, null, { class: 'wall', wall: met })
    const request = leaseRequest('s', {
      ...{ cause: 'wall', from: 'alice', prefer: 'alice', readings: host.engineReadings(), at: at(here) },
    })
    const pool = requestLease(poolState(spec('alice'), spec('bob')), request, at(here))
    expect(grantedTo(decide(pool, at(here)))).toEqual({ s: 'bob' })
  })

  const watched = { service: 'bot', incident: 1, fence: 0 }
  const beat = (): void => {
    writeFileSync(join(dir, 'pid'), String(process.pid))
    writeFileSync(
      join(dir, 'beat'),
      JSON.stringify({ by: 'bot', pid: process.pid, at: new Date().toISOString() }),
    )
  }

  it.each([10, -10])(
    'law 9: a heartbeat counts after a restart, and not before it, with the engine %i minutes ahead',
    async (ahead) => {
      host.clock.setAhead(ahead * minute)
      const context = new ServiceContext(host)
      const engine = (ms: number): string => at(host.clock.now() + ms)
      beat()
      const { n } = context.incidents.open('bot', null, { at: at(now), layer: 'watchdog', what: 'missing' })
      const run = new MockActivityEnvironment()
      await expect(
        run.run(() => verifyService(context, { ...watched, incident: n, since: engine(-minute) })),
      ).resolves.toMatchObject({ well: true })
      const request = { service: 'bot', reportTrouble: true, incident: n, since: engine(minute) }
      const early = new MockActivityEnvironment()
      const tooEarly = early.run(() => watchService(context, request))
      const checked = await context.check(context.service('bot'))
      expect(checked.verdict).toBe('well')
      expect(context.incidents.read(n)?.outcome).toBeNull()
      early.cancel()
      await expect(tooEarly).rejects.toThrow()
      await expect(
        new MockActivityEnvironment().run(() =>
          watchService(context, { ...request, since: engine(-minute) }),
        ),
      ).resolves.toEqual({ kind: 'back' })
    },
  )

  it('a wake-up that an agent had planned is reported in the engine’s time', () => {
    host.clock.setAhead(10 * minute)
    const plan = { id: 'p', dueAt: at(now), recurring: false, prompt: 'go on', madeAt: at(now - minute) }
    host.backgroundWork.inherit('s', 2, { tasks: [], over: [], plans: [plan] })
    const [planned] = pendingWakeUps(host, 's')
    expect(Math.floor((Date.parse(planned!.at) - now) / minute)).toBe(10)
  })
})
