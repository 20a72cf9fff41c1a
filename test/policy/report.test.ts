import { describe, expect, it } from 'vitest'
import type { EventDraft, OutpoolEvent } from '../../config/events/schema.js'
import { reportOf } from '../../client/report/report.js'
import { coveredMs } from '../../client/report/spans.js'

const hour = 3_600_000
const start = Date.parse('2026-11-22T00:00:00.000Z')
/** Hours after midnight. */
const at = (hours: number): string => new Date(start + hours * hour).toISOString()

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
const event = (hours: number, rest: DistributiveOmit<EventDraft, 'id' | 'at'>): OutpoolEvent => ({
  v: 1,
  id: `${hours}`,
  at: at(hours),
  host: 'here',
  ...rest,
})

const moved = (hours: number, resetsAt: number | null, from = 'a'): OutpoolEvent =>
  event(hours, {
    ...{ kind: 'session-moved', session: 'docs', n: 1, cause: 'wall', from, to: 'b', conversation: 'same' },
    ...{ why: '', ms: 900, steps: [] },
    wall:
      resetsAt === null
        ? null
        : { kind: 'five_hour', scope: 'account', resetsAt: at(resetsAt), evidence: 'transcript' },
  })
const parked = (hours: number, until: number | null): OutpoolEvent =>
  event(hours, {
    ...{ kind: 'session-parked', session: 'docs', from: 'a', cause: until === null ? 'breaker' : 'wall' },
    ...{ wall: null, until: until === null ? null : at(until), why: 'a is walled' },
  })
const woken = (hours: number, parkedMs: number): OutpoolEvent =>
  event(hours, { kind: 'session-woken', session: 'docs', to: 'a', parkedMs })

const report = (events: OutpoolEvent[], since = 0, until = 24) =>
  reportOf(events, new Date(at(since)), new Date(at(until)))

describe('time saved', () => {
  it('is what a walled session would have waited, once for overlapping walls, without its parked time', () => {
    expect(report([moved(1, 4)]).savedMs).toBe(3 * hour)
    expect(report([moved(1, 4), moved(2, 6, 'b')]).savedMs).toBe(5 * hour)
    expect(report([moved(1, 6), parked(2, 4), woken(4, 2 * hour)])).toMatchObject({
      ...{ savedMs: 3 * hour, parkedMs: 2 * hour },
    })
    expect(report([parked(2, 4), woken(4, 2 * hour), parked(20, 30)]).parks).toMatchObject([
      { session: 'docs', at: at(2), from: 'a', cause: 'wall', parkedMs: 2 * hour },
      { at: at(20), parkedMs: null },
    ])
    expect(report([moved(1, null)]).savedMs).toBe(0)
  })

  it('begins with the wake-up if a session was parked first, and another account was free before its own', () => {
    const walled: OutpoolEvent = {
      ...(parked(1, 2) as Extract<OutpoolEvent, { kind: 'session-parked' }>),
      wall: { kind: 'five_hour', scope: 'account', resetsAt: at(6), evidence: 'transcript' },
    }
    expect(report([walled, woken(2, hour)])).toMatchObject({ savedMs: 4 * hour, parkedMs: hour })
  })

  it('ends with the report, and begins with it', () => {
    expect(report([moved(20, 30)]).savedMs).toBe(4 * hour)
    expect(report([moved(1, 9)], 2)).toMatchObject({ savedMs: 0, moves: [] })
    expect(report([parked(1, 30)], 2)).toMatchObject({ parkedMs: 22 * hour })
  })
})

it('what waits for a person now may have begun long ago, and ends with an answer', () => {
  const asked = event(1, { kind: 'session-waiting', session: 'docs', reason: 'question' })
  const out = event(2, { kind: 'account-logged-out', account: 'a' })
  expect(report([asked, out], 20).waiting).toEqual([
    { name: 'docs', why: 'asks a question', since: at(1) },
    { name: 'a', why: 'logged out', since: at(2) },
  ])
  const attended = event(3, { kind: 'session-attended', session: 'docs', waitedMs: 2 * hour })
  expect(
    report([asked, out, attended, event(4, { kind: 'account-logged-in', account: 'a' })]).waiting,
  ).toEqual([])
  expect(report([parked(1, null)]).waiting).toMatchObject([{ name: 'docs', why: 'parked by the breaker' }])
  expect(report([parked(1, 30)])).toMatchObject({ waiting: [], parked: [{ session: 'docs', until: at(30) }] })
  const stopped = event(5, { kind: 'session-stopped', session: 'docs', why: 'stopped by a person' })
  expect(report([parked(1, null), stopped])).toMatchObject({ waiting: [], parked: [] })
})

it('walls by account, incidents with their ends, and what failed', () => {
  const walled = (hours: number, account: string): OutpoolEvent =>
    event(hours, {
      ...{ kind: 'account-walled', account, wall: 'five_hour', scope: 'account', resetsAt: null },
      evidence: 'transcript',
    })
  const service = { service: 'bot', incident: 3 }
  const failed = event(8, { kind: 'task-failed', task: 'garden', ms: 1, error: 'exit 1', failures: 2 })
  const found = report([
    walled(1, 'a'),
    event(3, { kind: 'account-back', account: 'a', from: 'wall', scope: 'account', afterMs: 2 * hour }),
    walled(22, 'a'),
    walled(23, 'b'),
    event(4, { kind: 'service-missing', ...service, why: 'it ended' }),
    event(5, { kind: 'service-restarted', ...service, attempt: 'restart 1', pid: 7 }),
    event(5, { kind: 'escalation-started', ...service }),
    event(6, { kind: 'escalation-ended', ...service, result: 'healed' }),
    event(6, { kind: 'service-back', ...service, afterMs: 2 * hour }),
    failed,
  ])
  expect(found.walls).toEqual([
    { account: 'a', count: 2, walledMs: 4 * hour },
    { account: 'b', count: 1, walledMs: hour },
  ])
  expect(found.incidents).toEqual([
    {
      ...{ n: 3, service: 'bot', at: at(4), sign: 'missing: it ended', restarts: 1 },
      ...{ downMs: 2 * hour, escalation: 'healed' },
    },
  ])
  expect(found.failures).toEqual([failed])
})

it('spans that overlap, touch or are empty are counted once', () => {
  const span = (from: number, to: number) => ({ from, to })
  expect(coveredMs([])).toBe(0)
  expect(coveredMs([span(0, 10), span(5, 15), span(20, 20), span(30, 25)])).toBe(15)
  expect(coveredMs([span(0, 10)], [span(2, 4), span(3, 6), span(9, 20)])).toBe(5)
  expect(coveredMs([span(0, 10)], [span(-5, 20)])).toBe(0)
})
