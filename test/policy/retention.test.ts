/** What cleanup may delete once it is over. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { minimumAge, expired, isSessionOver, isIncidentPast, isForkSpent } from '../../policy/retention.js'

const now = Date.parse('2026-11-28T12:00:00Z')
const hour = 3_600_000
const day = 24 * hour
const thing = (hoursOld: number) => ({ changedAt: now - hoursOld * hour })

describe('a bound', () => {
  it('deletes what is older, oldest first', () => {
    const [old, older, young] = [thing(31 * 24), thing(40 * 24), thing(29 * 24)]
    expect(expired([old, young, older], { maxAge: 30 * day, maxCount: 100 }, now)).toEqual([older, old])
  })

  it('deletes the oldest beyond the allowed number, but nothing of the last day', () => {
    const all = [1, 23, 25, 26, 27].map(thing)
    expect(expired(all, { maxAge: 30 * day, maxCount: 3 }, now)).toEqual([thing(27), thing(26)])
    expect(expired(all, { maxAge: 30 * day, maxCount: 1 }, now)).toEqual([27, 26, 25].map(thing))
  })

  it('holds for any ages, numbers and bounds', () => {
    const ages = fc.array(fc.integer({ min: -10, max: 2_000 }), { maxLength: 60 })
    const bounds = fc.record({
      maxAge: fc.integer({ min: 1, max: 60 }),
      maxCount: fc.integer({ min: 1, max: 30 }),
    })
    fc.assert(
      fc.property(ages, bounds, (hours, written) => {
        const bound = { ...written, maxAge: written.maxAge * day }
        const all = hours.map(thing)
        const deleted = expired(all, bound, now)
        const keptOnes = all.filter((one) => !deleted.includes(one))
        for (const { changedAt } of deleted)
          expect(now - changedAt).toBeGreaterThan(Math.min(bound.maxAge, minimumAge))
        for (const { changedAt } of keptOnes) expect(now - changedAt).toBeLessThanOrEqual(bound.maxAge)
        const oldEnough = keptOnes.filter(({ changedAt }) => now - changedAt > minimumAge)
        expect(oldEnough.length === 0 || keptOnes.length <= bound.maxCount).toBe(true)
        for (const one of deleted)
          for (const other of keptOnes) expect(one.changedAt).toBeLessThanOrEqual(other.changedAt)
      }),
    )
  })
})

describe('a session', () => {
  const over = { workflow: 'over', hasPane: false, hasProcess: false } as const
  it.each([
    ['nothing of it runs', over, true],
    ['it is parked: no pane, no process', { ...over, workflow: 'running' }, false],
    ['the engine does not answer', { ...over, workflow: 'unknown' }, false],
    ['its workflow was terminated, its pane exists', { ...over, hasPane: true }, false],
    ['its workflow was terminated, its process lives', { ...over, hasProcess: true }, false],
  ] as const)('law 5: %s', (_case, signs, isGone) => expect(isSessionOver(signs)).toBe(isGone))
})

it('law 5: a fork may be deleted once it was handed over and no process has it open', () => {
  expect(isForkSpent({ isHandedOver: true, isOpen: false })).toBe(true)
  expect(isForkSpent({ isHandedOver: false, isOpen: false })).toBe(false)
  expect(isForkSpent({ isHandedOver: true, isOpen: true })).toBe(false)
})

it('an incident is over when it is closed or its service is no longer guarded; the newest is always kept', () => {
  const incident = { n: 3, closedAt: '2026-11-01T00:00:00.000Z', service: 'bot' }
  expect(isIncidentPast(incident, 7, ['bot'])).toBe(true)
  expect(isIncidentPast(incident, 3, ['bot'])).toBe(false)
  expect(isIncidentPast({ ...incident, closedAt: null }, 7, ['bot'])).toBe(false)
  expect(isIncidentPast({ ...incident, closedAt: null }, 7, [])).toBe(true)
})
