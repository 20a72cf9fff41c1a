import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccountReading } from '../../policy/account/account.js'
import {
  answerFor,
  configure,
  decide,
  probeEnded,
  probeStarted,
  reconcile,
  reconcileAt,
  releaseLease,
  requestLease,
  requestBatch,
  recordLogin,
  recordReadings,
  recordWall,
  withdraw,
  type PoolState,
} from '../../policy/pool/transitions.js'
import { ineligibilityFor, accountsToProbeFirst, poolView } from '../../policy/pool/poolView.js'
import {
  leaseRequest,
  at,
  poolState,
  grantedTo,
  usedAccount,
  reading,
  requestAndDecide,
  settings,
  spec,
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

describe('the waitlist', () => {
  const room = withReadings(poolState(spec('a'), spec('b')), usedAccount('a', 0.1), usedAccount('b', 0.1))

  it('law 3: the fence only grows, and an old fence releases no newer lease', () => {
    const first = requestAndDecide(room, leaseRequest('s'))
    const second = requestAndDecide(first.state, leaseRequest('s', { requestId: 's-2', at: at(1) }), 1)
    const [one, two] = [first.grants[0]!.grant.fence, second.grants[0]!.grant.fence]
    expect(two).toBeGreaterThan(one)
    const late = releaseLease(second.state, { session: 's', fence: one, failure: null }, at(2))
    expect(poolView(late).accounts.flatMap(({ leases }) => leases)).toEqual(['s'])
  })

  it('law 3: a repeated request gets the same lease and the same answer', () => {
    const first = requestAndDecide(room, leaseRequest('s'))
    const again = requestAndDecide(first.state, leaseRequest('s'), 1)
    expect(again.grants).toEqual(first.grants)
  })

  it('law 10: a denial is sent once, and always names a future time', () => {
    const walled = recordWall(recordWall(room, 'a', wall(), at(0)), 'b', wall({ resetsAt: at(90) }), at(0))
    const first = requestAndDecide(walled, leaseRequest('s'))
    expect(first.denials[0]?.denial).toMatchObject({
      why: 'a walled until 13:00, b walled until 13:30',
      retryAt: at(60 + 1 / 6),
    })
    expect(decide(first.state, at(1)).denials).toEqual([])
    expect(first.nextDecisionAt).not.toBeNull()
  })

  it('a herd is spread over the accounts', () => {
    const herd = Array.from({ length: 10 }, (_, n) => leaseRequest(`s${n}`)).reduce(
      (before, one) => requestLease(before, one, at(0)),
      room,
    )
    const places = Object.values(grantedTo(decide(herd, at(0))))
    expect(places.filter((name) => name === 'a')).toHaveLength(5)
  })

  it('priority goes first, then the longest wait; a pinned session holds up no other', () => {
    const one = withReadings(
      poolState(spec('a', { maxSessions: 1 }), spec('b', { maxSessions: 0 })),
      usedAccount('a', 0.1),
    )
    const queue = [
      leaseRequest('pinned', { prefer: 'b', pinned: true, priority: 1 }),
      leaseRequest('late', { priority: 2 }),
      leaseRequest('urgent', { priority: 1 }),
    ].reduce((before, request, n) => requestLease(before, request, at(n)), one)
    expect(grantedTo(decide(queue, at(4)))).toEqual({ urgent: 'a' })
  })

  it('law 10: an account that failed in a rescue is skipped for a while, not for good', () => {
    const alone = withReadings(poolState(spec('a')), usedAccount('a', 0.1))
    const waits = requestAndDecide(alone, leaseRequest('s', { exclude: ['a'] }))
    expect(waits.grants).toEqual([])
    const later = recordReadings(waits.state, [usedAccount('a', 0.1, 6)], at(6))
    expect(grantedTo(decide(later, at(6)))).toEqual({ s: 'a' })
  })

  it('a planned move is granted only to a clearly better account, and is answered once', () => {
    const on = (used: number) => {
      const granted = requestAndDecide(
        withReadings(poolState(spec('a'), spec('b', { maxSessions: 0 })), usedAccount('a', 0.1)),
        leaseRequest('s'),
      )
      const both = configure(granted.state, settings([spec('a'), spec('b')]))
      const near = recordReadings(both, [usedAccount('a', 0.96, 1), usedAccount('b', used, 1)], at(1))
      return requestAndDecide(
        near,
        leaseRequest('s', { requestId: 's-2', cause: 'near-limit', from: 'a', at: at(1) }),
        1,
      )
    }
    expect(grantedTo(on(0.5))).toEqual({ s: 'b' })
    const stay = on(0.92)
    expect(stay.denials[0]?.denial.why).toMatch(/^stay/)
    expect(poolView(stay.state)).toMatchObject({
      waitlist: [],
      accounts: [{ leases: ['s'] }, { leases: [] }],
    })
  })

  it('law 7: leases of dead sessions are reclaimed, new ones are kept', () => {
    const granted = requestAndDecide(room, leaseRequest('s')).state
    expect(poolView(reconcile(granted, [], at(1))).accounts.flatMap(({ leases }) => leases)).toEqual(['s'])
    expect(poolView(reconcile(granted, [], at(9))).accounts.flatMap(({ leases }) => leases)).toEqual([])
    expect(poolView(withdraw(granted, 's')).accounts.flatMap(({ leases }) => leases)).toEqual([])
  })

  it('law 8: looks for leases of dead sessions hourly while a session waits, otherwise seldom, and never without leases', () => {
    const last = at(0)
    const hoursUntil = (of: PoolState): number => (reconcileAt(of, last) - Date.parse(last)) / 3_600_000
    const held = requestAndDecide(room, leaseRequest('s')).state
    const full = withReadings(poolState(spec('a', { maxSessions: 0 })), usedAccount('a', 0.1))
    const waitedFor = requestAndDecide(full, leaseRequest('s')).state
    expect(waitedFor.waitlist).toHaveLength(1)
    expect([held, waitedFor, room].map(hoursUntil)).toEqual([6, 1, Infinity])
  })

  it('the choice does not depend on the order in which readings arrive', () => {
    const used = fc.integer({ min: 0, max: 99 }).map((percent) => percent / 100)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b'), used, fc.integer({ min: -4, max: 0 })), {
          maxLength: 12,
        }),
        (facts) => {
          const readings = facts.map(([account, share, minutes]) => usedAccount(account, share, minutes))
          const forth = requestAndDecide(
            recordReadings(poolState(spec('a'), spec('b')), readings, at(0)),
            leaseRequest('s'),
          )
          const back = requestAndDecide(
            recordReadings(poolState(spec('a'), spec('b')), [...readings].reverse(), at(0)),
            leaseRequest('s'),
          )
          expect(grantedTo(back)).toEqual(grantedTo(forth))
        },
      ),
    )
  })
})

describe('a batch of lease requests from one host', () => {
  /** Requests and decides, and returns the pool's answer to each request. */
  const round = (before: PoolState, ...requests: ReturnType<typeof leaseRequest>[]) => {
    const decision = decide(requestBatch(before, { requests, readings: [] }, at(2)), at(2))
    return { ...decision, answers: requests.map((ask) => answerFor(ask, decision)?.kind ?? null) }
  }
  const one = withReadings(poolState(spec('a', { maxSessions: 1 })), usedAccount('a', 0.1))

  it('is answered request by request, from what the host knows at that moment', () => {
    const unread = poolState(spec('a', { maxSessions: 1 }))
    const first = requestBatch(
      unread,
      { requests: [leaseRequest('s'), leaseRequest('t')], readings: [usedAccount('a', 0.1)] },
      at(0),
    )
    const decision = decide(first, at(0))
    expect(grantedTo(decision)).toEqual({ s: 'a' })
    expect(answerFor(leaseRequest('s'), decision)).toEqual({
      kind: 'granted',
      grant: decision.grants[0]!.grant,
    })
    expect(answerFor(leaseRequest('t'), decision)).toEqual({
      kind: 'refused',
      denial: decision.denials[0]!.denial,
    })
  })

  it('shows which request waits for a probe of an account', () => {
    const { answers, probes } = round(poolState(spec('a')), leaseRequest('s'))
    expect([answers, probes]).toEqual([['queued'], ['a']])
  })

  it('law 7: gets the same answers when it is sent again, as after a lost reply', () => {
    const first = round(one, leaseRequest('s'), leaseRequest('t'))
    const again = round(first.state, leaseRequest('s'), leaseRequest('t'))
    expect(again.answers).toEqual(['granted', 'refused'])
    expect(again.grants).toEqual(first.grants)
  })

  it('law 4: takes nothing from a session that has made its own request in the meantime', () => {
    const itself = requestAndDecide(one, leaseRequest('s', { requestId: 's-2', at: at(1) }), 1)
    const late = round(itself.state, leaseRequest('s', { requestId: 's-1', at: at(0) }))
    expect(late.answers).toEqual([null])
    expect(late.state.accounts).toEqual(itself.state.accounts)
    const waits = requestAndDecide(itself.state, leaseRequest('t', { requestId: 't-2', at: at(1) }), 1)
    expect(round(waits.state, leaseRequest('t', { requestId: 't-1', at: at(0) })).answers).toEqual([null])
  })
})
