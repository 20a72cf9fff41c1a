/** A herd of parked sessions, and an account that comes back nearly spent. Times are minutes after noon. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultTiming } from '../../policy/account/account.js'
import { toMs } from '../../policy/instants.js'
import {
  configure,
  decide,
  requestLease,
  recordReadings,
  type PoolState,
} from '../../policy/pool/transitions.js'
import {
  at,
  grantedTo,
  leaseRequest,
  poolState,
  recordWall,
  requestAndDecide,
  settings,
  spec,
  usedAccount,
  wall,
  withReadings,
} from './builders.js'

const wave = defaultTiming.admissionInterval / 60_000

/** They wait in the order of their numbers; the last one has priority. */
const herdOf = (before: PoolState, count: number, minutes = 0): PoolState =>
  Array.from({ length: count }, (_, n) => n).reduce(
    (next, n) =>
      requestLease(
        next,
        leaseRequest(`s${n}`, {
          cause: 'wall',
          priority: n === count - 1 ? 1 : 5,
          at: at(minutes + n / 1_000),
        }),
        at(minutes + n / 1_000),
      ),
    before,
  )

const account = (used: number): PoolState => withReadings(poolState(spec('a')), usedAccount('a', used))

/**
 * Advances the time from one assignment pass to the next until no session waits. Returns how many sessions
 * started in each pass.
 */
function waves(
  before: PoolState,
  minutes: number,
): { state: PoolState; sizes: number[]; minutesTaken: number } {
  let [next, now] = [before, minutes]
  const sizes: number[] = []
  while (next.waitlist.length > 0 && sizes.length < 100) {
    const decision = decide(next, at(now))
    sizes.push(decision.grants.length)
    next = decision.state
    if (next.waitlist.length > 0) now = (toMs(decision.nextDecisionAt!) - toMs(at(0))) / 60_000
  }
  return { state: next, sizes, minutesTaken: now - minutes }
}

describe('a herd and an account that is nearly spent', () => {
  it('starts one session first, then as many as the account has been seen to carry, by priority and then in order', () => {
    const herd = herdOf(account(0.93), 8)
    const first = decide(herd, at(1))
    expect(grantedTo(first)).toEqual({ s7: 'a' })
    expect(first.denials).toEqual([])
    expect(decide(first.state, at(1 + wave / 2)).grants).toEqual([])
    const second = decide(first.state, at(1 + wave))
    expect(grantedTo(second)).toEqual({ s0: 'a' })
    expect(Object.keys(grantedTo(decide(second.state, at(1 + 2 * wave))))).toEqual(['s1', 's2'])
  })

  it('admits waves as often as the configuration says', () => {
    const often = configure(account(0.93), {
      ...settings([spec('a')]),
      timing: { ...defaultTiming, admissionInterval: 5_000 },
    })
    const first = decide(herdOf(often, 3), at(1))
    expect(decide(first.state, at(1 + 4 / 60)).grants).toHaveLength(0)
    expect(decide(first.state, at(1 + 6 / 60)).grants).toHaveLength(1)
  })

  it('acts on a new reading at once: the next wave if there is room, none if there is not', () => {
    const first = decide(herdOf(account(0.93), 8), at(1))
    const soon = 1 + wave / 4
    const withReading = recordReadings(first.state, [usedAccount('a', 0.94, soon)], at(soon))
    expect(decide(withReading, at(soon)).grants).toHaveLength(1)
    const walled = recordWall(first.state, 'a', wall({ at: at(soon) }), at(soon))
    const refused = decide(walled, at(soon))
    expect(refused.grants).toEqual([])
    expect(refused.denials).toHaveLength(7)
  })

  it('starts at once if there is room on this or another account', () => {
    expect(decide(herdOf(account(0.8), 8), at(1)).grants).toHaveLength(8)
    const both = recordReadings(
      poolState(spec('a'), spec('b')),
      [usedAccount('a', 0.93), usedAccount('b', 0.2)],
      at(0),
    )
    expect(new Set(Object.values(grantedTo(decide(herdOf(both, 8), at(1)))))).toEqual(new Set(['b']))
  })

  it('waits for the next wave rather than using something that costs money', () => {
    const runs = { agent: 'claude-code', model: null }
    const withKey = poolState(spec('a'), spec('key', { role: 'substrate', runs }))
    const herd = herdOf(withReadings(withKey, usedAccount('a', 0.93)), 3)
    expect(grantedTo(decide(herd, at(1)))).toEqual({ s2: 'a' })
  })

  it('counts a session on the account as one that it carries, and gives its place to the next when it leaves', () => {
    const occupied = requestAndDecide(account(0.5), leaseRequest('there'), 0).state
    const spent = recordReadings(occupied, [usedAccount('a', 0.93, 2)], at(2))
    expect(decide(herdOf(spent, 8, 2), at(3)).grants).toHaveLength(1)
  })

  it('law 10: never starts more than the account can carry at once, and starts the whole herd within a few waves', () => {
    const herds = fc.record({
      count: fc.integer({ min: 1, max: 60 }),
      there: fc.integer({ min: 0, max: 12 }),
      used: fc.integer({ min: 86, max: 99 }),
    })
    fc.assert(
      fc.property(herds, ({ count, there, used }) => {
        const settled = Array.from({ length: there }, (_, n) => `there${n}`).reduce(
          (before, name) => requestAndDecide(before, leaseRequest(name)).state,
          account(0.2),
        )
        const spent = recordReadings(settled, [usedAccount('a', used / 100, 2)], at(2))
        const { state: after, sizes, minutesTaken } = waves(herdOf(spent, count, 2), 3)
        let carried = there
        for (const size of sizes) {
          expect(size).toBeLessThanOrEqual(Math.max(1, carried))
          carried += size
        }
        expect(after.accounts[0]!.leases).toHaveLength(there + count)
        expect(minutesTaken).toBeLessThanOrEqual(wave * (Math.ceil(Math.log2(count + 1)) + 1))
      }),
      { numRuns: 200 },
    )
  })
})
