import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adjustStartLimit, initialStartLimit, type StartLimit } from '../../policy/session/startLimit.js'

/**
 * A machine on which starts share `cores` cores, take `alone` ms each when alone, and more starts always
 * wait.
 */
function settledOn(cores: number, alone: number, starts: number): StartLimit {
  let limit = initialStartLimit(cores)
  for (let start = 0; start < starts; start++) {
    const ms = alone * Math.max(1, Math.floor(limit.allowed) / cores)
    limit = adjustStartLimit(limit, { ms, sideBySide: Math.floor(limit.allowed), othersWaited: true, cores })
  }
  return limit
}

describe('how many agents start side by side', () => {
  it('uses every core, and never so many that a start takes much more than three times as long as alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 10, max: 5_000 }), (cores, alone) => {
        const { allowed } = settledOn(cores, alone, 2_000)
        expect(allowed).toBeGreaterThanOrEqual(cores)
        expect(allowed).toBeLessThanOrEqual(Math.min(64, cores * 3 + 2))
        expect(allowed).toBeGreaterThanOrEqual(Math.min(60, cores * 2))
      }),
    )
  })

  it('falls when the machine becomes busy, and rises again when it is free', () => {
    const free = settledOn(4, 200, 500)
    let busy = free
    for (let start = 0; start < 20; start++)
      busy = adjustStartLimit(busy, { ms: 5_000, sideBySide: 9, othersWaited: true, cores: 4 })
    expect(busy.allowed).toBeLessThan(free.allowed)
    let again = busy
    for (let start = 0; start < 100; start++)
      again = adjustStartLimit(again, { ms: 250, sideBySide: 5, othersWaited: true, cores: 4 })
    expect(again.allowed).toBeGreaterThan(busy.allowed)
  })

  it('does not rise while no start waits, and never falls below one per core', () => {
    let limit = initialStartLimit(2)
    for (let start = 0; start < 50; start++)
      limit = adjustStartLimit(limit, { ms: 100, sideBySide: 1, othersWaited: false, cores: 2 })
    expect(limit.allowed).toBe(2)
    for (let start = 0; start < 50; start++)
      limit = adjustStartLimit(limit, { ms: 9_000, sideBySide: 2, othersWaited: true, cores: 2 })
    expect(limit.allowed).toBe(2)
  })

  it('forgets an exceptionally fast start', () => {
    let limit = adjustStartLimit(initialStartLimit(2), {
      ms: 10,
      sideBySide: 1,
      othersWaited: true,
      cores: 2,
    })
    for (let start = 0; start < 500; start++)
      limit = adjustStartLimit(limit, { ms: 300, sideBySide: 2, othersWaited: true, cores: 2 })
    expect(limit.allowed).toBeGreaterThan(2)
  })
})
