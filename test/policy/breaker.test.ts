import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CountedTurn, recentTurns, tripReason } from '../../policy/session/breaker.js'

const minute = 60_000
const limits = { turnLimit: 10, turnWithin: 10 * minute }
const start = Date.parse('2026-03-01T12:00:00.000Z')
const at = (ms: number): string => new Date(start + ms).toISOString()

describe('the breaker of a session', () => {
  it('law 13: allows ten turns within ten minutes, and lists them when the eleventh comes', () => {
    const turns: CountedTurn[] = Array.from({ length: 10 }, (_, n) => ({
      at: at(n * 1_000),
      cause: n < 7 ? 'continuation' : 'retry',
    }))
    expect(tripReason(turns.slice(0, 9), at(minute), limits)).toBeNull()
    expect(tripReason(turns, at(minute), limits)).toBe(
      'outpool began 10 turns within 10 minutes (7 × continuation, 3 × retry)',
    )
    expect(tripReason(turns, at(11 * minute), limits)).toBeNull()
  })

  it('law 13: allows no more than the limit in any window, whatever the causes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 * minute }), { maxLength: 300 }), (gaps) => {
        let now = 0
        let turns: CountedTurn[] = []
        const passed: number[] = []
        for (const gap of gaps) {
          now += gap
          if (tripReason(turns, at(now), limits) !== null) continue
          passed.push(now)
          turns = recentTurns([...turns, { at: at(now), cause: 'retry' }], at(now), limits)
        }
        return passed.every(
          (turn) => passed.filter((other) => other >= turn && other < turn + limits.turnWithin).length <= 10,
        )
      }),
    )
  })
})
