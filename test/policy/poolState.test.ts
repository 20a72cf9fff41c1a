/** What a pool knows of its accounts, and which of them it gives to no session. */
import { describe, expect, it } from 'vitest'
import type { AccountReading } from '../../policy/account/account.js'
import {
  configure,
  decide,
  probeEnded,
  probeStarted,
  releaseLease,
  requestLease,
  recordReadings,
  type PoolState,
} from '../../policy/pool/transitions.js'
import { ineligibilityFor, accountsToProbeFirst, poolView } from '../../policy/pool/poolView.js'
import {
  at,
  grantedTo,
  leaseRequest,
  poolState,
  reading,
  recordLogin,
  recordWall,
  requestAndDecide,
  settings,
  spec,
  usedAccount,
  wall,
  window,
  withReadings,
} from './builders.js'

describe('law 4: never onto a bad account', () => {
  const bad: Record<string, (before: PoolState) => PoolState> = {
    walled: (before) => recordWall(before, 'a', wall(), at(0)),
    'full by reading': (before) =>
      withReadings(before, reading('a', { windows: [window({ used: 1, readAt: at(0.1) })] })),
    'logged out': (before) => recordLogin(before, 'a', 'out', at(0), at(0)),
    'above its ceiling': (before) => configure(before, settings([spec('a', { ceiling: 0.05 }), spec('b')])),
    'at its ceiling': (before) => configure(before, settings([spec('a', { ceiling: 0.1 }), spec('b')])),
    disabled: (before) => configure(before, settings([spec('a', { maxSessions: 0 }), spec('b')])),
    reserved: (before) => configure(before, settings([spec('a', { role: 'reserved' }), spec('b')])),
    removed: (before) => configure(before, settings([spec('b')])),
    duplicate: (before) =>
      recordReadings(
        configure(before, settings([spec('b'), spec('a')])),
        [reading('a', { identity: 'same' }), reading('b', { identity: 'same' })],
        at(0),
      ),
    'the login of the healer': (before) =>
      recordReadings(
        configure(before, settings([spec('a'), spec('b'), spec('medic', { role: 'reserved' })])),
        [reading('a', { identity: 'same' }), reading('medic', { identity: 'same' })],
        at(0),
      ),
  }
  it.each(Object.entries(bad))(
    'law 4: an account that is %s is not leased, however much room it has',
    (_, spoil) => {
      const both = withReadings(poolState(spec('a'), spec('b')), usedAccount('a', 0.1), usedAccount('b', 0.8))
      expect(grantedTo(requestAndDecide(both, leaseRequest('s')))).toEqual({ s: 'a' })
      expect(grantedTo(requestAndDecide(spoil(both), leaseRequest('s')))).toEqual({ s: 'b' })
      const pinned = requestAndDecide(spoil(both), leaseRequest('s', { prefer: 'a', pinned: true }))
      expect(pinned.grants).toEqual([])
    },
  )
  it.each(Object.entries(bad))(
    'law 4: a person who moves a session to one that is %s gets the reason',
    (_, spoil) => {
      const both = withReadings(poolState(spec('a'), spec('b')), usedAccount('a', 0.1), usedAccount('b', 0.8))
      expect(ineligibilityFor(both, 'a', 's', null, at(0))).toBeNull()
      expect(ineligibilityFor(spoil(both), 'a', 's', null, at(0))?.why()).toMatch(/./)
    },
  )
  it('a person who rescues a session gets the wall that lasts longest', () => {
    const both = withReadings(poolState(spec('a')), {
      ...usedAccount('a', 0.1),
      walls: [wall({ kind: 'seven_day', resetsAt: at(600) }), wall({ resetsAt: at(60) })],
    })
    expect(ineligibilityFor(both, 'a', 's', null, at(0))).toMatchObject({
      cause: 'walled',
      wall: { kind: 'seven_day', resetsAt: at(600) },
    })
  })
  it('law 4: an account that is full keeps the sessions that it has', () => {
    const full = requestAndDecide(
      withReadings(poolState(spec('a', { maxSessions: 1 }), spec('b')), usedAccount('a', 0.1)),
      leaseRequest('s'),
    ).state
    expect(ineligibilityFor(full, 'a', 's', null, at(0))).toBeNull()
    expect(ineligibilityFor(full, 'a', 'other', null, at(0))?.cause).toBe('full')
    expect(ineligibilityFor(full, 'nobody', 's', null, at(0))?.cause).toBe('not-in-pool')
  })
  it('law 4: for a move by hand the account is probed first, unless it was probed within the minute', () => {
    const probed = probeEnded(
      probeStarted(poolState(spec('a'), spec('b')), 'a', at(0)),
      'a',
      usedAccount('a', 1),
      at(0),
    )
    expect(accountsToProbeFirst(probed, null, at(0.5))).toEqual(['b'])
    expect(accountsToProbeFirst(probed, ['a'], at(2))).toEqual(['a'])
  })

  it('law 4: a wall of one model binds only that model', () => {
    const both = withReadings(poolState(spec('a'), spec('b')), usedAccount('a', 0.1), usedAccount('b', 0.8))
    const walled = recordWall(both, 'a', wall({ kind: 'seven_day_opus', scope: 'model:opus' }), at(0))
    expect(grantedTo(requestAndDecide(walled, leaseRequest('s', { models: ['claude-opus-4-5'] })))).toEqual({
      s: 'b',
    })
    expect(grantedTo(requestAndDecide(walled, leaseRequest('s', { models: ['sonnet'] })))).toEqual({ s: 'a' })
    // The agent's default may be any model: the session must not be sent back to a wall that it met.
    expect(grantedTo(requestAndDecide(walled, leaseRequest('s', { models: [null] })))).toEqual({ s: 'b' })
  })

  it('law 4: an unknown account is probed first, and its place is held until the answer has come', () => {
    const first = requestAndDecide(poolState(spec('a')), leaseRequest('s'))
    expect(first).toMatchObject({ grants: [], denials: [], probes: ['a'] })
    const asking = probeStarted(first.state, 'a', at(0))
    expect(decide(asking, at(0.1))).toMatchObject({ grants: [], probes: [] })
    const answered = probeEnded(asking, 'a', usedAccount('a', 0.3, 0.2), at(0.2))
    expect(grantedTo(decide(answered, at(0.2)))).toEqual({ s: 'a' })
  })

  it('law 4: an old reading counts as unknown unless a session of ours follows the account', () => {
    const old = withReadings(poolState(spec('a')), usedAccount('a', 0.1))
    expect(requestAndDecide(old, leaseRequest('s'), 6).probes).toEqual(['a'])
    const followed = requestAndDecide(old, leaseRequest('t')).state
    expect(grantedTo(requestAndDecide(followed, leaseRequest('s'), 6))).toEqual({ s: 'a' })
  })

  it('law 4: a reset that has passed is a reason to probe, not proof of room', () => {
    const walled = recordWall(
      withReadings(poolState(spec('a')), usedAccount('a', 0.9)),
      'a',
      wall({ resetsAt: at(30) }),
      at(0),
    )
    const waits = requestAndDecide(walled, leaseRequest('s', { cause: 'wall' }))
    expect(waits.denials[0]?.denial.retryAt).toBe(at(30 + 1 / 6))
    const due = decide(waits.state, at(31))
    expect(due).toMatchObject({ grants: [], probes: ['a'] })
    const probed = probeStarted(due.state, 'a', at(31))
    const still = probeEnded(
      probed,
      'a',
      reading('a', { windows: [window({ used: 1, resetsAt: at(90), readAt: at(31) })] }),
      at(31),
    )
    const refused = decide(still, at(31))
    expect(refused.grants).toEqual([])
    expect(refused.denials[0]?.denial.retryAt).toBe(at(90 + 1 / 6))
  })

  it('law 4: an unproven account is tried by one session at a time, until its first reading', () => {
    const silent = (before: PoolState): PoolState =>
      probeEnded(probeStarted(before, 'a', at(0)), 'a', null, at(0))
    const waiting = ['s', 't', 'u'].reduce(
      (before, name) => requestLease(before, leaseRequest(name), at(0)),
      poolState(spec('a')),
    )
    const first = decide(silent(waiting), at(0))
    expect(grantedTo(first)).toEqual({ s: 'a' })
    expect(decide(first.state, at(1)).grants).toEqual([])
    // A reading from before that session started proves nothing.
    const before = recordReadings(first.state, [usedAccount('a', 0.1, -1)], at(1))
    expect(decide({ ...before, accounts: before.accounts }, at(1)).state.accounts[0]?.trial).not.toBeNull()
    const read = recordReadings(first.state, [usedAccount('a', 0.1, 1)], at(1))
    expect(grantedTo(decide(read, at(1)))).toEqual({ t: 'a', u: 'a' })
  })

  it('law 4: an unproven account ranks after every proven one, even if it was asked for', () => {
    const silent = probeEnded(probeStarted(poolState(spec('a'), spec('b')), 'a', at(0)), 'a', null, at(0))
    const both = withReadings(silent, usedAccount('b', 0.97))
    expect(grantedTo(requestAndDecide(both, leaseRequest('s', { prefer: 'a' })))).toEqual({ s: 'b' })
  })

  it('law 4: when every account is full, none takes a session', () => {
    const house = withReadings(poolState(spec('a', { maxSessions: 1 })), usedAccount('a', 0.1))
    const first = requestAndDecide(house, leaseRequest('s'))
    const second = requestAndDecide(first.state, leaseRequest('t'))
    expect(second.grants).toEqual([])
    const released = releaseLease(
      second.state,
      { session: 's', fence: first.grants[0]!.grant.fence, failure: null },
      at(1),
    )
    expect(grantedTo(decide(released, at(1)))).toEqual({ t: 'a' })
  })

  it('law 4: an account that keeps failing rests, longer each time in a row', () => {
    const rests = (faults: number): number => {
      let state = withReadings(poolState(spec('a')), usedAccount('a', 0.1))
      let now = 0
      for (let n = 1; n <= faults; n++) {
        now = n * 100
        state = recordReadings(state, [usedAccount('a', 0.1 + n / 1000, now)], at(now))
        const granted = requestAndDecide(state, leaseRequest('s', { requestId: `${n}`, at: at(now) }), now)
        const { fence } = granted.grants[0]!.grant
        state = releaseLease(granted.state, { session: 's', fence, failure: 'no start' }, at(now))
      }
      return Date.parse(state.accounts[0]!.restUntil!) - Date.parse(at(now))
    }
    expect(rests(1)).toBeGreaterThan(40_000)
    expect(rests(3)).toBeGreaterThan(2 * rests(1))
  })
})

it('law 4: a login that only looks alive is not retried again and again: each loss of it counts as a failure', () => {
  let state = withReadings(poolState(spec('a')), usedAccount('a', 0.1))
  const rests: number[] = []
  for (const n of [1, 2, 3]) {
    const lostAt = n * 60
    state = recordReadings(state, [reading('a', { login: 'out', loginAt: at(lostAt) })], at(lostAt))
    rests.push(Date.parse(state.accounts[0]!.restUntil!) - Date.parse(at(lostAt)))
    // The program says that it is logged in; only a turn would show that the login is refused.
    state = recordReadings(state, [reading('a', { login: 'in', loginAt: at(lostAt + 1) })], at(lostAt + 1))
  }
  expect(rests[1]).toBeGreaterThan(1.5 * rests[0]!)
  expect(rests[2]).toBeGreaterThan(1.5 * rests[1]!)
})

describe('walls', () => {
  const walled = recordWall(withReadings(poolState(spec('a')), usedAccount('a', 0.9)), 'a', wall(), at(1))
  it('law 4: repeated reports of one wall count once', () => {
    const again = recordWall(walled, 'a', wall({ at: at(2), evidence: 'another session' }), at(2))
    expect(poolView(again).accounts[0]?.walls).toHaveLength(1)
  })
  it('law 10: an unused account gives the same reading at each probe, and that reading keeps its full weight', () => {
    const readingAt = (minutes: number) =>
      reading('a', {
        windows: [window({ source: 'config-cache', readAt: at(minutes) })],
        ...{ login: 'in' as const, loginAt: at(minutes), probedAt: at(minutes) },
      })
    const probed = recordReadings(withReadings(poolState(spec('a')), readingAt(0)), [readingAt(60)], at(60))
    const both = decide(
      requestLease(requestLease(probed, leaseRequest('s'), at(60)), leaseRequest('t'), at(60)),
      at(60),
    )
    expect(grantedTo(both)).toEqual({ s: 'a', t: 'a' })
  })

  it('law 10: a newer reading with room ends a wall early', () => {
    const early = recordReadings(walled, [usedAccount('a', 0, 5)], at(5))
    expect(grantedTo(requestAndDecide(early, leaseRequest('s'), 5))).toEqual({ s: 'a' })
  })
  it('law 6: a late report of a wall that is over changes nothing', () => {
    const early = recordReadings(walled, [usedAccount('a', 0, 5)], at(5))
    expect(recordWall(early, 'a', wall({ at: at(3) }), at(6)).accounts[0]?.walls).toEqual([])
  })
  it('law 4: a repeated old status line does not end a wall', () => {
    const line = (minutes: number) =>
      reading('a', { windows: [window({ used: 0.9, readAt: at(minutes), source: 'status-line' })] })
    const before = recordWall(withReadings(poolState(spec('a')), line(0)), 'a', wall({ at: at(1) }), at(1))
    expect(requestAndDecide(recordReadings(before, [line(2)], at(2)), leaseRequest('s'), 2).grants).toEqual(
      [],
    )
  })
  it('law 4: the status line of the answer before a wall, written after it, does not end the wall', () => {
    const line = (used: number, minutes: number, resetsAt = at(60)) =>
      reading('a', { windows: [window({ used, resetsAt, readAt: at(minutes), source: 'status-line' })] })
    const before = recordWall(
      withReadings(poolState(spec('a')), line(0.9, 0)),
      'a',
      wall({ at: at(1) }),
      at(1),
    )
    const grantsAfter = (next: PoolState) => requestAndDecide(next, leaseRequest('s'), 2).grants
    expect(grantsAfter(recordReadings(before, [line(0.93, 2)], at(2)))).toEqual([])
    expect(grantsAfter(recordReadings(before, [line(0.02, 2, at(301))], at(2)))).toHaveLength(1)
  })
  it('law 4: a session that repeats what was used at its last answer does not lower what others have used since', () => {
    const line = (used: number, minutes: number, resetsAt = at(60)) =>
      reading('a', { windows: [window({ used, resetsAt, readAt: at(minutes), source: 'status-line' })] })
    const full = recordReadings(withReadings(poolState(spec('a')), line(0.4, 0)), [line(1, 1)], at(1))
    const usedAfter = (next: AccountReading) =>
      recordReadings(full, [next], at(3)).accounts[0]?.windows.map(({ used, readAt }) => [used, readAt])
    expect(usedAfter(line(0.41, 2))).toEqual([[1, at(1)]])
    expect(usedAfter(line(0.02, 2, at(301)))).toEqual([[0.02, at(2)]])
    // A probe has the provider's own numbers: budgets do grow, as by an upgrade of the plan.
    expect(usedAfter(usedAccount('a', 0.5, 2))).toEqual([[0.5, at(2)]])
  })
  it('law 10: a wall without a reset is doubted after half an hour, and the account is probed', () => {
    const blind = recordWall(
      withReadings(poolState(spec('a')), usedAccount('a', 0.9)),
      'a',
      wall({ resetsAt: null }),
      at(0),
    )
    const waits = requestAndDecide(blind, leaseRequest('s'), 1)
    expect(waits.denials[0]?.denial.retryAt).toBe(at(30 + 1 / 6))
    expect(decide(waits.state, at(31)).probes).toEqual(['a'])
  })
})
