import { describe, expect, it } from 'vitest'
import { MoveLimiter } from '../../host/limits/moveLimiter.js'

const never = new AbortController().signal

/** Enters, and records when it is admitted. */
function entering(turns: MoveLimiter, order: string[], session: string, signal = never): Promise<void> {
  return turns.acquire(session, signal, () => undefined).then(() => void order.push(session))
}

describe('turns of sessions that are to be moved', () => {
  it('so many at a time, in the order in which they came; the next one when a move is done', async () => {
    const turns = new MoveLimiter({ atOnce: 2, nextStepWithin: 60_000 })
    const order: string[] = []
    const entered = ['a', 'b', 'c', 'd'].map((session) => entering(turns, order, session))
    await Promise.all(entered.slice(0, 2))
    expect(order).toEqual(['a', 'b'])
    turns.release('b')
    await entered[2]
    expect(order).toEqual(['a', 'b', 'c'])
    // A session that is not being moved frees no other's turn by leaving.
    turns.release('b')
    turns.release('a')
    await entered[3]
    expect(order).toEqual(['a', 'b', 'c', 'd'])
    for (const session of ['c', 'd']) turns.release(session)
  })

  it('law 10: a turn ends by itself if no step comes, and not in the middle of one', async () => {
    const turns = new MoveLimiter({ atOnce: 1, nextStepWithin: 20 })
    const order: string[] = []
    await entering(turns, order, 'a')
    let ended: () => void = () => undefined
    const step = turns.holdDuring('a', () => new Promise<void>((resolve) => (ended = resolve)))
    const next = entering(turns, order, 'b')
    // Three times as long as a turn lasts without a step.
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(order).toEqual(['a'])
    ended()
    await step
    await next
    expect(order).toEqual(['a', 'b'])
  })

  it('one that is given up while it waits uses no turn', async () => {
    const turns = new MoveLimiter({ atOnce: 1, nextStepWithin: 60_000 })
    const order: string[] = []
    await entering(turns, order, 'a')
    const stop = new AbortController()
    const turn = entering(turns, order, 'b', stop.signal)
    const patient = entering(turns, order, 'c')
    stop.abort()
    await expect(turn).rejects.toThrow()
    turns.release('a')
    await patient
    expect(order).toEqual(['a', 'c'])
    turns.release('c')
  })
})
