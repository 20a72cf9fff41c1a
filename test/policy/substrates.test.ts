/** Fallbacks: when a session goes to one, and when it comes back. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccountSpec, Wall } from '../../policy/account/account.js'
import {
  decide,
  probeEnded,
  probeStarted,
  requestLease,
  recordReadings,
  type PoolState,
} from '../../policy/pool/transitions.js'
import { attributeWall } from '../../policy/account/walls.js'
import {
  at,
  grantedTo,
  leaseRequest,
  poolState,
  reading,
  recordWall,
  requestAndDecide,
  spec,
  usedAccount,
  wall,
  window,
  withReadings,
} from './builders.js'

const substrate = (name: string, overrides: Partial<AccountSpec> = {}): AccountSpec =>
  spec(name, { role: 'substrate', runs: { agent: 'claude-code', model: `${name}-model` }, ...overrides })

/** Two accounts that are walled for an hour, and two substrates. */
const dry = (...more: AccountSpec[]): PoolState =>
  ['a', 'b'].reduce(
    (before, name) => recordWall(before, name, wall(), at(0)),
    withReadings(
      poolState(spec('a'), spec('b'), ...(more.length > 0 ? more : [substrate('s1'), substrate('s2')])),
      usedAccount('a', 0.9),
      usedAccount('b', 0.9),
    ),
  )

describe('law 2: with every account walled a session goes on, on a substrate', () => {
  it('law 2: on the first able one, with its model, and it says why no account can be used', () => {
    const { grants } = requestAndDecide(dry(), leaseRequest('s', { cause: 'wall' }))
    expect(grants[0]?.grant).toMatchObject({
      place: { kind: 'substrate', name: 's1' },
      model: 's1-model',
      why: 's1, a fallback: a walled until 13:00, b walled until 13:00',
    })
  })

  it('law 2: on the next one if the first is walled, full, resting, for another program or has failed', () => {
    const bad: PoolState[] = [
      recordWall(dry(), 's1', wall({ kind: 'rate_limit', resetsAt: at(5) }), at(0)),
      dry(substrate('s1', { maxSessions: 0 }), substrate('s2')),
      dry(substrate('s1', { runs: { agent: 'codex', model: null } }), substrate('s2')),
      withReadings(
        dry(),
        reading('s1', { windows: [window({ name: 'budget', used: 1, resetsAt: at(90) })] }),
      ),
    ]
    for (const before of bad)
      expect(grantedTo(requestAndDecide(before, leaseRequest('s')))).toEqual({ s: 's2' })
    expect(grantedTo(requestAndDecide(dry(), leaseRequest('s', { exclude: ['s1'] })))).toEqual({ s: 's2' })
    expect(grantedTo(requestAndDecide(dry(), leaseRequest('s', { unfit: ['s1'] })))).toEqual({ s: 's2' })
    const one = requestAndDecide(dry(substrate('s1', { maxSessions: 1 }), substrate('s2')), leaseRequest('r'))
    expect(grantedTo(requestAndDecide(one.state, leaseRequest('s')))).toEqual({ s: 's2' })
  })

  it('a session names its allowed fallbacks, and a pinned one, or one that should stay, never falls back', () => {
    const to = (overrides: Parameters<typeof leaseRequest>[1]): Record<string, string> =>
      grantedTo(requestAndDecide(dry(), leaseRequest('s', overrides)))
    expect(to({ fallback: ['s2', 's1'] })).toEqual({ s: 's2' })
    expect(to({ fallback: [] })).toEqual({})
    expect(to({ prefer: 'a', pinned: true })).toEqual({})
    for (const cause of ['near-limit', 'move', 'home'] as const) expect(to({ cause, from: 'a' })).toEqual({})
  })

  it('law 10: parks until the first account or substrate is free again', () => {
    const cooling = ['s1', 's2'].reduce(
      (before, name) =>
        recordWall(before, name, wall({ kind: 'overloaded', resetsAt: at(name === 's1' ? 5 : 9) }), at(0)),
      dry(),
    )
    const parked = requestAndDecide(cooling, leaseRequest('s', { cause: 'wall' }))
    expect(parked.denials[0]?.denial.retryAt).toBe(at(5 + 1 / 6))
    expect(grantedTo(decide(parked.state, at(6)))).toEqual({ s: 's1' })
  })

  it('law 4: an account that was never probed is probed before anything that costs money is used', () => {
    const first = requestAndDecide(poolState(spec('a'), substrate('s1')), leaseRequest('s'))
    expect(first).toMatchObject({ grants: [], probes: ['a'] })
    const asking = probeStarted(first.state, 'a', at(0))
    expect(decide(asking, at(0.1)).grants).toEqual([])
    expect(grantedTo(decide(probeEnded(asking, 'a', usedAccount('a', 0.2, 0.1), at(0.1)), at(0.1)))).toEqual({
      s: 'a',
    })
  })

  it('law 4: never on a substrate while an account is able, for any fleet', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    const accountOf = fc.record({
      used: share,
      walled: fc.boolean(),
      out: fc.boolean(),
      ceiling: fc.constantFrom(1, 0.5),
      maxSessions: fc.constantFrom(null, 1, 0),
    })
    fc.assert(
      fc.property(
        fc.array(accountOf, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 8 }),
        (fleet, wants) => {
          const names = fleet.map((_, index) => `a${index}`)
          let state = poolState(
            ...fleet.map(({ ceiling, maxSessions }, index) => spec(`a${index}`, { ceiling, maxSessions })),
            substrate('s1', { maxSessions: 2 }),
            substrate('s2'),
          )
          for (const [index, { used, walled, out }] of fleet.entries()) {
            const name = `a${index}`
            state = withReadings(state, {
              ...usedAccount(name, used),
              login: out ? 'out' : 'in',
              loginAt: at(0),
            })
            if (walled) state = recordWall(state, name, wall({ at: at(0.1) }), at(0.1))
          }
          for (let n = 0; n < wants; n++) state = requestLease(state, leaseRequest(`s${n}`), at(1))
          const { grants, state: after } = decide(state, at(1))
          const isAble = (index: number): boolean => {
            const { used, walled, out, ceiling, maxSessions } = fleet[index]!
            const there = after.accounts[index]!.leases.length
            return !walled && !out && used < ceiling && (maxSessions === null || there < maxSessions)
          }
          const onSubstrate = grants.filter(({ grant }) => grant.place.kind === 'substrate')
          if (onSubstrate.length > 0) expect(names.filter((_, index) => isAble(index))).toEqual([])
          // In order: the second takes no session while the first has room.
          const first = onSubstrate.filter(({ grant }) => grant.place.name === 's1').length
          if (onSubstrate.some(({ grant }) => grant.place.name === 's2')) expect(first).toBe(2)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('failback', () => {
  const onFallback = (sessions = 1): PoolState =>
    Array.from({ length: sessions }).reduce<PoolState>(
      (before, _, n) =>
        requestAndDecide(before, leaseRequest(`s${n}`, { cause: 'wall', at: at(n / 100) }), n / 100).state,
      dry(),
    )
  const freed = (before: PoolState, used: number, minutes = 61): PoolState =>
    recordReadings(before, [usedAccount('a', used, minutes)], at(minutes))

  it('orders the session back once when an account is able, and grants it that place when it comes', () => {
    expect(decide(onFallback(), at(1)).failbacks).toEqual([])
    const called = decide(freed(onFallback(), 0.1), at(61))
    expect(called.failbacks).toEqual([{ session: 's0', why: 'a is able again' }])
    expect(decide(called.state, at(62)).failbacks).toEqual([])
    const returning = leaseRequest('s0', { requestId: 's0-2', cause: 'home', from: 's1', at: at(63) })
    const returned = requestAndDecide(called.state, returning, 63)
    expect(returned.grants[0]?.grant.place).toEqual({ kind: 'account', name: 'a' })
    expect(decide(returned.state, at(64)).failbacks).toEqual([])
  })

  it('law 10: probes the accounts when their time comes, though no session waits', () => {
    const before = decide(onFallback(), at(1))
    expect(before.nextDecisionAt).not.toBeNull()
    expect(decide(before.state, at(61)).probes).toEqual(['a', 'b'])
  })

  it('law 10: checks again when the window of an able but nearly spent account resets, though no reading reports it', () => {
    const before = decide(freed(onFallback(), 0.9), at(61))
    expect(before.failbacks).toEqual([])
    const { resetsAt } = usedAccount('a', 0.9, 61).windows[0]!
    expect(before.nextDecisionAt).not.toBeNull()
    expect(before.nextDecisionAt! <= new Date(Date.parse(resetsAt!) + 60_000).toISOString()).toBe(true)
    const then = (Date.parse(resetsAt!) - Date.parse(at(0))) / 60_000 + 1
    expect(decide(before.state, at(then)).probes).toContain('a')
  })

  it.each([0.87, 0.95, 1])('hysteresis: not to an account at %d, which a turn or two would spend', (used) => {
    expect(decide(freed(onFallback(), used), at(61)).failbacks).toEqual([])
  })

  it('brings back as many as fit, longest on a fallback first, and the next when a reading shows room', () => {
    const first = decide(freed(onFallback(12), 0.1), at(61))
    expect(first.failbacks.map(({ session }) => session)).toEqual(
      Array.from({ length: 8 }, (_, n) => `s${n}`),
    )
    const returned = first.failbacks.reduce(
      (before, { session }) =>
        requestAndDecide(
          before,
          leaseRequest(session, { requestId: `${session}-2`, cause: 'home', from: 's1', at: at(62) }),
          62,
        ).state,
      first.state,
    )
    expect(decide(returned, at(63)).failbacks).toEqual([])
    expect(decide(freed(returned, 0.15, 64), at(64)).failbacks.length).toBe(4)
  })

  it('law 4: to an unproven account, only one goes back at first', () => {
    const probed = decide(onFallback(3), at(61)).probes.reduce(
      (before, name) => probeEnded(probeStarted(before, name, at(61)), name, null, at(61)),
      onFallback(3),
    )
    const { failbacks } = decide(probed, at(61))
    expect(failbacks.map(({ session }) => session)).toEqual(['s0', 's1'])
    expect(new Set(failbacks.map(({ why }) => why)).size).toBe(2)
  })

  it('a session that came back and found no room stays on its fallback, and is ordered back again later', () => {
    const called = decide(freed(onFallback(), 0.1), at(61))
    const walled = ['a', 'b'].reduce(
      (before, name) => recordWall(before, name, wall({ at: at(62), resetsAt: at(180) }), at(62)),
      called.state,
    )
    const returning = leaseRequest('s0', { requestId: 's0-2', cause: 'home', from: 's1', at: at(63) })
    const stays = requestAndDecide(walled, returning, 63)
    expect(stays.grants).toEqual([])
    expect(stays.denials[0]?.denial.why).toMatch(/^stay: /)
    expect(stays.state.accounts.find(({ name }) => name === 's1')?.leases).toHaveLength(1)
    expect(decide(freed(stays.state, 0.1, 181), at(181)).failbacks).toHaveLength(1)
  })
})

describe('a list of models', () => {
  const opus = (overrides: Partial<Wall> = {}): Wall =>
    wall({ kind: 'seven_day_opus', scope: 'model:opus', resetsAt: at(300), ...overrides })
  const both = withReadings(
    poolState(spec('a'), spec('b'), substrate('s1')),
    usedAccount('a', 0.1),
    usedAccount('b', 0.8),
  )
  const wish = { models: ['opus', 'sonnet'] }

  it('prefers the same model on another account, then the next model, before any substrate', () => {
    const one = recordWall(both, 'a', opus(), at(0))
    expect(requestAndDecide(one, leaseRequest('s', wish)).grants[0]?.grant).toMatchObject({
      place: { name: 'b' },
      model: 'opus',
    })
    const two = recordWall(one, 'b', opus(), at(0))
    expect(requestAndDecide(two, leaseRequest('s', wish)).grants[0]?.grant).toMatchObject({
      place: { name: 'a' },
      model: 'sonnet',
    })
  })

  it('a wall that names another model than the one that met it counts for the account, so that the session is not sent back to it', () => {
    expect(attributeWall(opus(), 'claude-opus-5')).toEqual(opus())
    expect(attributeWall(opus(), null)).toEqual(opus())
    expect(attributeWall(opus(), 'sonnet').scope).toBe('account')
    expect(attributeWall(wall(), 'sonnet')).toEqual(wall())
  })

  it('sessions on other models stay when one model is walled', () => {
    const one = recordWall(both, 'a', opus(), at(0))
    expect(grantedTo(requestAndDecide(one, leaseRequest('s', { models: ['sonnet'] })))).toEqual({ s: 'a' })
  })

  it('brings the session back to its first model when that is free again, also on the same account', () => {
    const walled = ['a', 'b'].reduce((before, name) => recordWall(before, name, opus(), at(0)), both)
    const lesser = requestAndDecide(walled, leaseRequest('s', wish))
    const fresh = window({ name: 'seven_day_opus', used: 0, resetsAt: at(9_999), readAt: at(301) })
    const free = recordReadings(
      lesser.state,
      [{ ...usedAccount('a', 0.1, 301), windows: [...usedAccount('a', 0.1, 301).windows, fresh] }],
      at(301),
    )
    const called = decide(free, at(301))
    expect(called.failbacks).toHaveLength(1)
    const returning = leaseRequest('s', { ...wish, requestId: 's-2', cause: 'home', from: 'a', at: at(302) })
    const back = requestAndDecide(called.state, returning, 302)
    expect(back.grants[0]?.grant).toMatchObject({ place: { name: 'a' }, model: 'opus' })
    expect(decide(back.state, at(303)).failbacks).toEqual([])
  })
})
