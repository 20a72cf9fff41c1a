/** An account that its owner takes out of use: no new session, and those that are on it leave at their turn ends. */
import { describe, expect, it } from 'vitest'
import { accountState } from '../../policy/account/accountRow.js'
import { reconfigurationObstacle } from '../../policy/pool/reconfiguration.js'
import { configure, releaseLease } from '../../policy/pool/transitions.js'
import { poolView } from '../../policy/pool/poolView.js'
import { shouldMove } from '../../policy/session/plannedMove.js'
import {
  at,
  grantedTo,
  leaseRequest,
  poolState,
  requestAndDecide,
  settings,
  spec,
  usedAccount,
  withReadings,
} from './builders.js'

const drained = spec('a', { drain: true })
const twoAccounts = withReadings(
  poolState(spec('a'), spec('b')),
  usedAccount('a', 0.1),
  usedAccount('b', 0.8),
)

describe('law 4: an account that is being drained', () => {
  const state = configure(twoAccounts, settings([drained, spec('b')]))

  it('gets no session, though it has the most room', () => {
    expect(grantedTo(requestAndDecide(twoAccounts, leaseRequest('s')))).toEqual({ s: 'a' })
    expect(grantedTo(requestAndDecide(state, leaseRequest('s')))).toEqual({ s: 'b' })
  })

  it('shows as disabled, and gets sessions again once it is enabled', () => {
    const [facts] = poolView(state).accounts
    expect(facts).toMatchObject({ name: 'a', drain: true })
    expect(accountState(facts!, 0.95, at(0))).toBe('disabled')
    const enabled = configure(state, settings([spec('a', { drain: false }), spec('b')]))
    expect(poolView(enabled).accounts[0]).not.toHaveProperty('drain')
    expect(grantedTo(requestAndDecide(enabled, leaseRequest('s')))).toEqual({ s: 'a' })
  })

  it('a session leaves it for any account that is able, also for a fuller one', () => {
    const placed = requestAndDecide(twoAccounts, leaseRequest('s')).state
    const draining = configure(placed, settings([drained, spec('b')]))
    const move = leaseRequest('s', { requestId: 's-2', cause: 'move', from: 'a', at: at(1) })
    expect(grantedTo(requestAndDecide(draining, move, 1))).toEqual({ s: 'b' })
  })
})

it('an account that is no longer configured is listed as being drained until its last session has left it', () => {
  const placed = requestAndDecide(twoAccounts, leaseRequest('s'))
  const state = configure(placed.state, settings([spec('b')]))
  expect(poolView(state).accounts.map(({ name, drain }) => [name, drain])).toEqual([
    ['b', undefined],
    ['a', true],
  ])
  const fence = placed.grants[0]!.grant.fence
  const left = releaseLease(state, { session: 's', fence, failure: null }, at(1))
  expect(poolView(left).accounts.map(({ name }) => name)).toEqual(['b'])
})

describe('a session at rest on an account that is to be left', () => {
  const stay = { model: null, moveThreshold: 0.95, stayUntil: null, wakeMargin: 0 }

  it('moves, but not before a denied move may be tried again', () => {
    const leaving = { ...stay, isLeaving: true }
    expect(shouldMove(usedAccount('a', 0.1), leaving, at(0))?.cause).toBe('move')
    expect(shouldMove(usedAccount('a', 0.1), { ...leaving, stayUntil: at(5) }, at(0))).toBeNull()
    expect(shouldMove(usedAccount('a', 0.1), stay, at(0))).toBeNull()
  })
})

describe('another configuration', () => {
  const max1 = { name: 'max-1', configDir: '/1' }
  const max2 = { name: 'max-2', configDir: '/2' }
  const before = { name: 'main', accounts: [max1, max2], reserved: [] }
  const busy = new Map([['max-1', ['docs']]])

  it('may add, remove and reorder accounts while sessions run', () => {
    for (const accounts of [[max2], [max2, max1], [max1, max2, { name: 'max-3', configDir: '/3' }]])
      expect(reconfigurationObstacle(before, { ...before, accounts }, busy)).toBeNull()
  })

  it('law 1: gives the healer no login that sessions are on', () => {
    const after = { ...before, accounts: [max2], reserved: [{ name: 'medic', configDir: '/1' }] }
    const obstacle = { kind: 'reserved', account: 'max-1', sessions: ['docs'] }
    expect(reconfigurationObstacle(before, after, busy)).toEqual(obstacle)
    expect(reconfigurationObstacle(before, after, new Map())).toBeNull()
  })

  it('law 5: changes neither the config dir of an account in use nor the name of the pool', () => {
    const moved = { ...before, accounts: [{ ...max1, configDir: '/other' }, max2] }
    expect(reconfigurationObstacle(before, moved, busy)?.kind).toBe('config-dir')
    expect(reconfigurationObstacle(before, moved, new Map([['max-2', ['docs']]]))).toBeNull()
    expect(reconfigurationObstacle(before, { ...before, name: 'other' }, new Map())?.kind).toBe('pool-name')
  })
})
