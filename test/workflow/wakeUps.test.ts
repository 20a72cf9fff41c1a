/**
 * How the workflow handles wake-ups that an agent planned in a process that is gone, and an agent's
 * questions.
 */
import { describe, expect, it } from 'vitest'
import { minute } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'

const open = useTestPool()

describe('a wake-up that a lost process had planned', () => {
  it('law 5: is sent on time after a move, once, and no text waits behind it', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const due = (await testPool.server.now()) + 20 * minute
    testPool.host.dueWakeUps.set(session, [
      { id: 'later', at: new Date(due + 20 * minute).toISOString() },
      { id: 'soon', at: new Date(due).toISOString() },
    ])
    await testPool.hitWall(session, 'a')
    const moved = await testPool.untilOnAccount(session, 'b')
    expect(moved.nextWakeUp).toBe(new Date(due).toISOString())
    await testPool.send(session, '1', 'meanwhile')
    const delivered = (count: number) =>
      testPool.until(
        `${count} texts`,
        () => Promise.resolve(testPool.host.delivered.get(session) ?? []),
        (texts) => texts.length >= count,
        60 * minute,
        minute,
      )
    expect(await delivered(1)).toEqual(['meanwhile'])
    expect(await testPool.server.now()).toBeLessThan(due)
    expect(await delivered(2)).toEqual(['meanwhile', 'wake-up soon'])
    expect(await testPool.server.now()).toBeGreaterThanOrEqual(due)
    expect(await delivered(3)).toEqual(['meanwhile', 'wake-up soon', 'wake-up later'])
    await testPool.server.advance(30 * minute)
    expect(testPool.host.delivered.get(session)).toHaveLength(3)
    expect((await testPool.describe(session)).nextWakeUp).toBeNull()
  })

  it('law 10: is sent when the session runs again, if it was due while the session was parked', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    testPool.host.dueWakeUps.set(session, [
      { id: 'due', at: new Date((await testPool.server.now()) + minute).toISOString() },
    ])
    await testPool.hitWall(session, 'a')
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    await testPool.untilOnAccount(session, 'a', 10 * 60 * minute, 5 * minute)
    await testPool.until(
      'the wake-up',
      () => Promise.resolve(testPool.host.delivered.get(session) ?? []),
      (texts) => texts.length === 1,
    )
    expect(testPool.host.delivered.get(session)).toEqual(['wake-up due'])
  })
})

it('law 10: a session says in one sentence what its agent asks, and how to answer', async () => {
  const testPool = await open({ accounts: ['a'] })
  const session = await testPool.startRunning('one')
  await testPool.observe(session, { kind: 'waiting', what: 'Which colour?', digest: 'd1' })
  const { attention } = await testPool.untilSession(session, ({ phase }) => phase === 'waiting')
  expect(attention).toBe(
    `it asks: Which colour? Answer with outpool answer ${session} or outpool attach ${session}`,
  )
})
