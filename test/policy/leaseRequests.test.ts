/** How a pool answers requests for leases: in which order, once, and for how long. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answerFor,
  configure,
  decide,
  reconcile,
  reconcileAt,
  releaseLease,
  requestLease,
  requestBatch,
  recordReadings,
  withdraw,
  type PoolState,
} from '../../policy/pool/transitions.js'
import { poolView } from '../../policy/pool/poolView.js'
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
