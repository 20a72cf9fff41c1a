/** Law 9: only a service's own heartbeat proves that it lives. Law 6: only a proven failure restarts it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Beat, type BeatReading, clockSlack, judgeBeat } from '../../policy/service/beats.js'
import { iso, toMs } from '../../policy/instants.js'
import {
  type GuardedProcess,
  hasRecovered,
  judgeService,
  type CheckRules,
  needsBusyCheck,
  emptyMemory,
  type CheckMemory,
  type ServiceObservation,
} from '../../policy/service/judgement.js'

const minute = 60_000
const morning = toMs('2026-11-24T07:00:00.000Z')
const at = (minutes: number): number => morning + minutes * minute

const rules: CheckRules = {
  ...{ service: 'loop', every: 10 * minute, timeout: null, busyCheck: null },
  heartbeat: { staleAfter: 15 * minute, anyone: false },
}

const guarded = (pid: number, startedAt: number, others: [number, number][] = []): GuardedProcess => ({
  ...{ pid, start: String(pid), startedAt },
  tree: new Map([[pid, startedAt], ...others]),
})

const beatOf = (overrides: Partial<Beat>): BeatReading => ({
  kind: 'beat',
  beat: { by: 'loop', pid: 10, at: iso(at(0)), doing: null, ...overrides },
})

const observe = (
  now: number,
  process: GuardedProcess | null,
  beat: BeatReading | null = null,
): ServiceObservation => ({
  ...{ now, sleptMs: 0, process, beat, ended: null, beatBlocked: null, work: null },
})

describe('law 9: a heartbeat', () => {
  const tree = new Map([
    [10, at(0)],
    [11, at(5)],
  ])
  const judge = (reading: BeatReading, now = at(10), anyone = false) =>
    judgeBeat(reading, { service: 'loop', tree, anyone, now }).proves

  it('law 9: proves life if the service itself or a process of its tree wrote it', () => {
    expect(judge(beatOf({ at: iso(at(9)) }))).toBe(true)
    expect(judge(beatOf({ pid: 11, at: iso(at(9)) }))).toBe(true)
  })

  it.each<[string, BeatReading]>([
    ['by another service', beatOf({ by: 'bot', at: iso(at(9)) })],
    ['by a process outside the service', beatOf({ pid: 77, at: iso(at(9)) })],
    ['older than the process that has its id now', beatOf({ pid: 11, at: iso(at(4)) })],
    ['from the future', beatOf({ at: iso(at(11)) })],
    ['without a whole heartbeat in the file', { kind: 'touched', touchedAt: iso(at(9)) }],
    ['that does not exist', { kind: 'absent' }],
    ['that cannot be read', { kind: 'unreadable', why: 'EACCES' }],
  ])('law 9: %s proves nothing', (_what, reading) => {
    expect(judge(reading)).toBe(false)
  })

  it('law 9: a touched file counts only if the configuration says so, and never with a time in the future', () => {
    expect(judge({ kind: 'touched', touchedAt: iso(at(9)) }, at(10), true)).toBe(true)
    expect(judge({ kind: 'touched', touchedAt: iso(at(11)) }, at(10), true)).toBe(false)
  })

  it('law 9: any heartbeat that proves life is by the service, from its process tree, and dated between its start and now', () => {
    const anyBeat = fc.record({
      by: fc.constantFrom('loop', 'bot', ''),
      pid: fc.constantFrom(10, 11, 12),
      at: fc.integer({ min: -20, max: 40 }).map((minutes) => iso(at(minutes))),
      doing: fc.constant(null),
    })
    fc.assert(
      fc.property(anyBeat, fc.integer({ min: 0, max: 30 }), (beat, minutes) => {
        const now = at(minutes)
        if (!judge({ kind: 'beat', beat }, now)) return
        const startedAt = tree.get(beat.pid)
        expect(beat.by).toBe('loop')
        expect(startedAt).toBeDefined()
        expect(toMs(beat.at)).toBeGreaterThanOrEqual(startedAt! - clockSlack)
        expect(toMs(beat.at)).toBeLessThanOrEqual(now + clockSlack)
      }),
    )
  })
})

describe('law 6: a host that was suspended', () => {
  const loop = guarded(10, at(0))
  const beat = beatOf({ at: iso(at(9)) })
  const before = judgeService(observe(at(10), loop, beat), emptyMemory, rules)
  const lookAfter = (minutes: number, asleep: number, memory = before.memory) =>
    judgeService({ ...observe(at(minutes), loop, beat), sleptMs: asleep * minute }, memory, rules)

  it('law 6: silence counts from when the host woke', () => {
    const woken = lookAfter(130, 118)
    expect(woken).toMatchObject({ verdict: 'well', nextCheckAt: at(140) })
    // When the service was last known to be well does not change.
    expect(woken.memory.wellAt).toBe(iso(at(9)))
    const later = lookAfter(144, 118, woken.memory)
    expect(later.verdict).toBe('well')
    expect(lookAfter(146, 118, later.memory).verdict).toBe('frozen')
  })

  it('law 9: the absence of a worker while the host was awake excuses no silence', () => {
    expect(lookAfter(130, 0).verdict).toBe('frozen')
  })

  it('law 9: suspension excuses only the process that was suspended', () => {
    const { memory } = lookAfter(130, 118)
    const other = guarded(11, at(100))
    const judged = judgeService({ ...observe(at(131), other), sleptMs: 118 * minute }, memory, rules)
    expect(judged.memory.wokeAt).toBeNull()
  })
})

describe('law 6: a heartbeat that could not be written', () => {
  const loop = guarded(10, at(0))
  const beat = beatOf({ at: iso(at(9)) })
  const before = judgeService(observe(at(10), loop, beat), emptyMemory, rules)
  const lookAfter = (minutes: number, beatBlocked: string | null, memory = before.memory) =>
    judgeService({ ...observe(at(minutes), loop, beat), beatBlocked }, memory, rules)

  it('law 6: silence counts from the last check that saw it blocked, so that the next heartbeat has time to arrive', () => {
    const blind = lookAfter(60, 'the disk is full')
    expect(blind.verdict).toBe('blind')
    const free = lookAfter(62, null, blind.memory)
    expect(free).toMatchObject({ verdict: 'well', nextCheckAt: at(72) })
    expect(lookAfter(76, null, free.memory).verdict).toBe('frozen')
  })

  it('law 9: excuses only the process that was blocked', () => {
    const blind = lookAfter(60, 'the disk is full')
    const other = judgeService(observe(at(62), guarded(11, at(30))), blind.memory, rules)
    expect(other.memory.blockedAt).toBeNull()
  })
})

describe('law 9: the morning described in the seed', () => {
  it('law 9: the loop dies at 07:53, a bot keeps touching the heartbeat, and the next check notices', () => {
    const loop = guarded(10, at(0))
    const before = judgeService(observe(at(50), loop, beatOf({ at: iso(at(49)) })), emptyMemory, rules)
    expect(before.verdict).toBe('well')
    const byBot = beatOf({ by: 'bot', pid: 20, at: iso(at(59)) })
    const after = judgeService(observe(at(60), null, byBot), before.memory, rules)
    expect(after.verdict).toBe('missing')
    expect(after.memory.wellAt).toBe(iso(at(49)))
  })

  it('law 9: a loop that hangs is found although the bot beats for it, within staleAfter of its own last heartbeat', () => {
    const loop = guarded(10, at(0))
    let memory = judgeService(observe(at(50), loop, beatOf({ at: iso(at(49)) })), emptyMemory, rules).memory
    const lookAt = (minutes: number) => {
      const judged = judgeService(
        observe(at(minutes), loop, beatOf({ by: 'bot', pid: 20, at: iso(at(minutes)) })),
        memory,
        rules,
      )
      memory = judged.memory
      return judged
    }
    expect(lookAt(60).verdict).toBe('well')
    // The check is scheduled for the moment at which the proof expires, not a whole interval later.
    expect(lookAt(61).nextCheckAt).toBe(at(64) + 1)
    expect(lookAt(64.1).verdict).toBe('frozen')
  })
})

describe('law 6: a frozen service is neither busy nor unobservable', () => {
  const busy: CheckRules = { ...rules, busyCheck: { within: 10 * minute, maxBusy: 60 * minute } }
  const loop = guarded(10, at(0))
  const judgeAt = (
    minutes: number,
    grewAt: number | null,
    memory: CheckMemory,
    overrides: Partial<ServiceObservation> = {},
  ) => {
    const stale = { ...observe(at(minutes), loop, { kind: 'absent' }), ...overrides }
    expect(needsBusyCheck(stale, memory, busy)).toBe(true)
    return judgeService({ ...stale, work: { grewAt, what: 'its files grow' } }, memory, busy)
  }

  it('law 6: a service whose files grow is busy and checked again sooner; one whose files do not is frozen', () => {
    const judged = judgeAt(20, at(18), emptyMemory)
    expect(judged.verdict).toBe('busy')
    expect(judged.nextCheckAt).toBeLessThan(at(20) + rules.every)
    expect(judgeAt(40, at(18), judged.memory).verdict).toBe('frozen')
  })

  it('law 6: a busy service is left alone, but not for ever', () => {
    let memory = emptyMemory
    const verdicts = Array.from({ length: 80 }, (_, minutes) => {
      const judged = judgeAt(16 + minutes, at(16 + minutes), memory)
      memory = judged.memory
      return judged.verdict
    })
    expect(verdicts.indexOf('frozen')).toBe(61)
  })

  it('law 6: a heartbeat that cannot be read or written kills nothing', () => {
    expect(
      judgeService(observe(at(30), loop, { kind: 'unreadable', why: 'EACCES' }), emptyMemory, rules).verdict,
    ).toBe('blind')
    const full = { ...observe(at(30), loop, { kind: 'absent' }), beatBlocked: 'its disk is full' }
    expect(judgeService(full, emptyMemory, rules).verdict).toBe('blind')
    expect(judgeService(observe(at(30), loop, { kind: 'absent' }), emptyMemory, rules).verdict).toBe('frozen')
    expect(judgeAt(30, null, emptyMemory, { beatBlocked: 'its disk is full' }).verdict).toBe('blind')
  })

  it('law 6: a process that has just started is not stale, whatever an earlier one left behind', () => {
    const old = judgeService(observe(at(10), loop, beatOf({ at: iso(at(9)) })), emptyMemory, rules).memory
    const restarted = guarded(30, at(40))
    const judged = judgeService(observe(at(41), restarted, beatOf({ at: iso(at(9)) })), old, rules)
    expect(judged.verdict).toBe('well')
    expect(judged.memory.beat).toBeNull()
    expect(hasRecovered(judged, restarted, rules, at(41), at(40))).toBe(false)
  })

  it('law 6: no service is called frozen or missing while its own heartbeat is fresh, nor running without one', () => {
    const minutes = fc.integer({ min: 0, max: 90 })
    fc.assert(
      fc.property(minutes, minutes, fc.boolean(), fc.option(minutes), (now, beaten, isOwn, grew) => {
        fc.pre(beaten <= now)
        const beat = beatOf({ by: isOwn ? 'loop' : 'bot', at: iso(at(beaten)) })
        const work = grew === null ? null : { grewAt: at(Math.min(grew, now)), what: 'its files grow' }
        const { verdict, nextCheckAt } = judgeService(
          { ...observe(at(now), loop, beat), work },
          emptyMemory,
          busy,
        )
        const isFresh = now - (isOwn ? beaten : 0) <= 15
        expect(verdict === 'well').toBe(isFresh)
        if (verdict === 'busy') expect(now - (grew ?? 0)).toBeLessThanOrEqual(10)
        expect(nextCheckAt).toBeGreaterThan(at(now))
        expect(nextCheckAt).toBeLessThanOrEqual(at(now) + rules.every)
      }),
    )
  })

  it('a process that runs for longer than its timeout is ended', () => {
    const bounded = { ...rules, heartbeat: null, timeout: 30 * minute }
    expect(judgeService(observe(at(29), loop), emptyMemory, bounded).verdict).toBe('well')
    expect(judgeService(observe(at(31), loop), emptyMemory, bounded).verdict).toBe('frozen')
  })
})
