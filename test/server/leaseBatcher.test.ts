import { describe, expect, it } from 'vitest'
import { LeaseBatcher } from '../../activities/watch/leaseBatcher.js'
import type { LeaseAnswer, PreparedLeaseRequest, LeaseBatch } from '../../policy/pool/lease.js'
import { leaseRequest, usedAccount } from '../policy/builders.js'

const ask = (session: string): PreparedLeaseRequest => leaseRequest(session)

const queued = ({ requests }: LeaseBatch): LeaseAnswer[] =>
  requests.map(({ requestId }) => ({ kind: 'queued', requestId }))

/** A pool whose messages are answered when the test says so. */
function heldPool() {
  const rounds: { round: LeaseBatch; answer: (answers: (LeaseAnswer | null)[]) => void; fail: () => void }[] =
    []
  const readings = [usedAccount('a', 0.1)]
  const batcher = new LeaseBatcher(
    'main',
    (round) =>
      new Promise((answer, reject) => {
        rounds.push({ round, answer, fail: () => reject(new Error('no pool')) })
      }),
    () => readings,
  )
  const round = (index: number) => expect.poll(() => rounds[index]).toBeDefined()
  return { batcher, rounds, round, readings }
}

describe("lease requests of one host's walled sessions", () => {
  it('requests of one moment go in one message, with what the host knows', async () => {
    const { batcher, rounds, round, readings } = heldPool()
    const answers = ['x', 'y', 'z'].map((session) => batcher.requestLease('main', ask(session)))
    await round(0)
    expect(rounds[0]!.round.requests.map(({ session }) => session)).toEqual(['x', 'y', 'z'])
    expect(rounds[0]!.round.readings).toEqual(readings)
    rounds[0]!.answer([...queued(rounds[0]!.round).slice(0, 2), null])
    expect(await Promise.all(answers)).toEqual([
      { kind: 'queued', requestId: 'x-1' },
      { kind: 'queued', requestId: 'y-1' },
      null,
    ])
    expect(rounds).toHaveLength(1)
  })

  it('requests that come while a message is being sent go in the next one', async () => {
    const { batcher, rounds, round } = heldPool()
    const first = batcher.requestLease('main', ask('x'))
    await round(0)
    const later = ['y', 'z'].map((session) => batcher.requestLease('main', ask(session)))
    expect(rounds).toHaveLength(1)
    rounds[0]!.answer(queued(rounds[0]!.round))
    expect(await first).toEqual({ kind: 'queued', requestId: 'x-1' })
    await round(1)
    expect(rounds[1]!.round.requests.map(({ session }) => session)).toEqual(['y', 'z'])
    rounds[1]!.answer(queued(rounds[1]!.round))
    await Promise.all(later)
  })

  it('law 10: a pool that does not answer blocks no session, and is asked again by the next', async () => {
    const { batcher, rounds, round } = heldPool()
    const both = ['x', 'y'].map((session) => batcher.requestLease('main', ask(session)))
    await round(0)
    rounds[0]!.fail()
    expect(await Promise.all(both)).toEqual([null, null])
    const next = batcher.requestLease('main', ask('x'))
    await round(1)
    rounds[1]!.answer(queued(rounds[1]!.round))
    expect(await next).toEqual({ kind: 'queued', requestId: 'x-1' })
  })

  it('no lease is requested for a session of another pool', async () => {
    const { batcher, rounds } = heldPool()
    expect(await batcher.requestLease('another', ask('x'))).toBeNull()
    expect(rounds).toHaveLength(0)
  })
})
