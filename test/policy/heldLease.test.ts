/** A session that goes on from its state tells the pool which lease it has. */
import { describe, expect, it } from 'vitest'
import { confirmLease, decide, type PoolState } from '../../policy/pool/transitions.js'
import { leaseOf } from '../../policy/pool/poolState.js'
import {
  at,
  grantedTo,
  leaseRequest,
  poolState,
  requestAndDecide,
  spec,
  usedAccount,
  withReadings,
} from './builders.js'

const pool = (): PoolState =>
  withReadings(
    poolState(spec('alice', { maxSessions: 1 }), spec('bob'), spec('key', { role: 'substrate' })),
    usedAccount('alice', 0.1),
    usedAccount('bob', 0.9),
  )
const held = { request: leaseRequest('s', { cause: 'wake' }), account: 'alice', model: 'sonnet', fence: 7 }

describe('law 4: the lease of a session that was started again from its state', () => {
  it('law 4: counts, so that no other session gets its place', () => {
    const known = confirmLease(pool(), held, at(1))
    expect(leaseOf(known, 's')).toMatchObject({
      account: { name: 'alice' },
      lease: { fence: 7, failback: null },
    })
    expect(known.fence).toBe(7)
    expect(grantedTo(requestAndDecide(known, leaseRequest('other'), 1))).toEqual({ other: 'bob' })
  })

  it('law 4: replaces the lease or the request of a workflow that ran in its place', () => {
    const granted = requestAndDecide(pool(), leaseRequest('s', { prefer: 'bob', pinned: true })).state
    expect(leaseOf(granted, 's')?.account.name).toBe('bob')
    const back = confirmLease(granted, { ...held, fence: granted.fence - 1 }, at(1))
    expect(back.accounts.map(({ name, leases }) => [name, leases.length])).toEqual([
      ...[
        ['alice', 1],
        ['bob', 0],
        ['key', 0],
      ],
    ])
    // Fences only grow.
    expect(back.fence).toBe(granted.fence)
    const waiting = requestAndDecide(pool(), leaseRequest('s', { prefer: 'gone', pinned: true })).state
    expect(waiting.waitlist).toHaveLength(1)
    const confirmed = confirmLease(waiting, held, at(1))
    expect(confirmed.waitlist).toEqual([])
    expect(decide(confirmed, at(1)).grants).toEqual([])
  })

  it('changes nothing if the pool knows it', () => {
    const known = confirmLease(pool(), held, at(1))
    expect(confirmLease(known, held, at(5))).toEqual(known)
    expect(confirmLease(pool(), { ...held, account: 'gone' }, at(1))).toEqual(pool())
  })

  it('leads back to an account from a substrate', () => {
    const known = confirmLease(pool(), { ...held, account: 'key', model: null }, at(1))
    expect(leaseOf(known, 's')?.lease.failback).toMatchObject({
      request: { session: 's', cause: 'home', from: 'key', models: ['sonnet'] },
      offered: null,
    })
  })
})
