/** What an agent planned in a process that is gone, and its questions, as the workflow handles them. */
import { describe, expect, it } from 'vitest'
import { minute } from './harness/stage.js'
import { useStage } from './harness/useStage.js'

const open = useStage()

describe('a wake-up that a lost process had planned', () => {
  it('law 5: is said in its time after a move, once, and nothing waits behind it', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const due = (await stage.theatre.now()) + 20 * minute
    stage.host.owed.set(session, [
      { id: 'later', at: new Date(due + 20 * minute).toISOString() },
      { id: 'soon', at: new Date(due).toISOString() },
    ])
    await stage.hitsWall(session, 'a')
    const moved = await stage.untilOn(session, 'b')
    expect(moved.nextWakeUp).toBe(new Date(due).toISOString())
    await stage.send(session, '1', 'meanwhile')
    const delivered = (count: number) =>
      stage.until(
        `${count} texts`,
        () => Promise.resolve(stage.host.delivered.get(session) ?? []),
        (texts) => texts.length >= count,
        60 * minute,
        minute,
      )
    expect(await delivered(1)).toEqual(['meanwhile'])
    expect(await stage.theatre.now()).toBeLessThan(due)
    expect(await delivered(2)).toEqual(['meanwhile', 'wake-up soon'])
    expect(await stage.theatre.now()).toBeGreaterThanOrEqual(due)
    expect(await delivered(3)).toEqual(['meanwhile', 'wake-up soon', 'wake-up later'])
    await stage.theatre.pass(30 * minute)
    expect(stage.host.delivered.get(session)).toHaveLength(3)
    expect((await stage.show(session)).nextWakeUp).toBeNull()
  })

  it('law 10: that came due while the session was parked is said when it is up again', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    stage.host.owed.set(session, [
      { id: 'due', at: new Date((await stage.theatre.now()) + minute).toISOString() },
    ])
    await stage.hitsWall(session, 'a')
    await stage.untilSession(session, ({ phase }) => phase === 'parked')
    await stage.untilOn(session, 'a', 10 * 60 * minute, 5 * minute)
    await stage.until(
      'the wake-up',
      () => Promise.resolve(stage.host.delivered.get(session) ?? []),
      (texts) => texts.length === 1,
    )
    expect(stage.host.delivered.get(session)).toEqual(['wake-up due'])
  })
})

it('law 10: a session says in one sentence what its agent asks, and how it can be answered', async () => {
  const stage = await open({ accounts: ['a'] })
  const session = await stage.up('one')
  await stage.sees(session, { kind: 'waiting', what: 'Which colour?', digest: 'd1' })
  const { attention } = await stage.untilSession(session, ({ phase }) => phase === 'waiting')
  expect(attention).toBe(
    `it asks: Which colour? Answer with outpool answer ${session} or outpool attach ${session}`,
  )
})
