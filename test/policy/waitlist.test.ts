import { describe, expect, it } from 'vitest'
import type { AccountSpec } from '../../policy/account/account.js'
import { groupWaitlist, mostHelpfulAction } from '../../policy/pool/waitlist.js'
import { recordReadings, type PoolState } from '../../policy/pool/transitions.js'
import { poolView } from '../../policy/pool/poolView.js'
import {
  at,
  leaseRequest,
  poolState,
  reading,
  recordLogin,
  recordWall,
  requestAndDecide,
  spec,
  usedAccount,
  wall,
  window,
} from './builders.js'

const waits = (before: PoolState, ...sessions: string[]): PoolState =>
  sessions.reduce(
    (state, session) => requestAndDecide(state, leaseRequest(session, { cause: 'wall' })).state,
    before,
  )

const walled = (): PoolState =>
  recordWall(
    recordReadings(poolState(spec('a'), spec('b')), [usedAccount('a', 0.5), usedAccount('b', 0.5)], at(0)),
    'a',
    wall(),
    at(0),
  )

it('sessions that wait for the same thing are one line, with the next chance', () => {
  const state = waits(recordWall(walled(), 'b', wall({ resetsAt: at(30) }), at(0)), 's', 't')
  const pinned = requestAndDecide(
    state,
    leaseRequest('u', { prefer: 'a', pinned: true, cause: 'wall' }),
  ).state
  expect(groupWaitlist(poolView(pinned).waitlist)).toEqual([
    { why: 'a walled until 13:00, b walled until 12:30', retryAt: at(30 + 1 / 6), sessions: ['s', 't'] },
    { why: 'a walled until 13:00', retryAt: at(60 + 1 / 6), sessions: ['u'] },
  ])
})

describe('what would help most', () => {
  const both = (a: Partial<AccountSpec>, b: Partial<AccountSpec> = {}): PoolState =>
    recordReadings(
      poolState(spec('a', a), spec('b', b)),
      [usedAccount('a', 0.5), usedAccount('b', 0.5)],
      at(0),
    )
  const dry = (before: PoolState): PoolState => recordWall(before, 'b', wall(), at(0))
  const best = (state: PoolState, minutes = 1): string | null =>
    mostHelpfulAction(poolView(state), at(minutes))

  it('is nothing if no session waits', () => {
    expect(best(walled())).toBeNull()
  })

  it('is a login, which costs nothing and frees an account at once', () => {
    const out = recordLogin(dry(both({ ceiling: 0.4 })), 'a', 'out', at(1), at(1))
    expect(best(waits(out, 's'))).toBe('log in again on a')
  })

  it.each<[string, Partial<AccountSpec>, string]>([
    ['more sessions on one that is full', { maxSessions: 1 }, 'raise maxSessions of a (1 session there)'],
    ['a higher ceiling', { ceiling: 0.4 }, 'raise the ceiling of a (40 %)'],
    ['an account that is disabled', { maxSessions: 0 }, 'enable a (maxSessions is 0)'],
  ])('is %s', (_, overrides, advice) => {
    expect(best(waits(dry(both(overrides)), 's', 't'))).toBe(advice)
  })

  it.each<[string, Partial<AccountSpec>]>([
    ['full', { maxSessions: 1 }],
    ['above its ceiling', { ceiling: 0.4 }],
  ])('is not more room on an account that is walled as well as %s', (_, overrides) => {
    const occupied = requestAndDecide(both(overrides), leaseRequest('there')).state
    const state = waits(recordWall(dry(occupied), 'a', wall(), at(0)), 's')
    expect(best(state)).toMatch(/^a substrate/)
  })

  it('is a substrate if there is none, otherwise what keeps it from taking more, otherwise patience', () => {
    const runs = { agent: 'claude-code', model: null }
    const withKey = (overrides: Partial<AccountSpec>): PoolState =>
      recordWall(
        recordReadings(
          poolState(spec('a'), spec('key', { role: 'substrate', runs, ...overrides })),
          [usedAccount('a', 0.5)],
          at(0),
        ),
        'a',
        wall(),
        at(0),
      )
    expect(best(waits(withKey({ maxSessions: 1 }), 's', 't'))).toBe(
      'raise maxSessions of key (1 session there)',
    )
    const budget = window({ name: 'budget', used: 1, source: 'transcript' })
    const spent = recordReadings(withKey({}), [reading('key', { windows: [budget] })], at(0))
    expect(best(waits(spent, 's'))).toBe('raise the budget of key, which is spent')
    const refused = recordWall(withKey({}), 'key', wall({ kind: 'rate_limit' }), at(0))
    expect(best(waits(refused, 's'))).toMatch(/^one more account/)
  })
})
