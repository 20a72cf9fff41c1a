import { describe, expect, it } from 'vitest'
import { poolSignals } from '../../workflows/messages.js'
import { hour, minute, type TestPool, type TestPoolOptions } from './harness/testPool.js'
import { TestServer } from './harness/testServer.js'
import { useTestPool } from './harness/useTestPool.js'
import { CarryFailedError } from '../../activities/errors.js'
import { failureFrom } from '../../activities/failures.js'
import { UnknownPlaceError } from '../../host/errors.js'

const openReal = useTestPool(() => TestServer.openWallClock())
const openVirtual = useTestPool()

/** In real time: checks are short. */
async function open(options: TestPoolOptions): Promise<TestPool> {
  const testPool = await openReal(options)
  testPool.step = 50
  testPool.host.pollEvery = 100
  return testPool
}

const runId = async (testPool: TestPool, session: string): Promise<string> =>
  (await testPool.handle(session).describe()).runId

/** Has the session begin a new run, and waits until it has. */
async function migrate(testPool: TestPool, session: string): Promise<void> {
  const before = await runId(testPool, session)
  await testPool.signal(session, 'migrate')
  await testPool.untilContinuedAsNew(testPool.handle(session), before)
}

const untilDelivered = (testPool: TestPool, session: string, count: number): Promise<string[]> =>
  testPool.until(
    `${count} texts`,
    () => Promise.resolve(testPool.host.delivered.get(session) ?? []),
    (texts) => texts.length >= count,
  )

describe('law 8: the history of a session is cut, and nothing is lost by it', () => {
  it('law 8, law 5: while it runs and a text waits', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    testPool.host.busy.add(session)
    await testPool.send(session, '1', 'first')
    const before = await testPool.describe(session)
    await migrate(testPool, session)
    expect(await testPool.describe(session)).toEqual(before)
    testPool.host.busy.delete(session)
    expect(await untilDelivered(testPool, session, 1)).toEqual(['first'])
    await migrate(testPool, session)
    // In the next run the text's id is still known.
    await testPool.send(session, '1', 'first')
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    await testPool.send(session, '2', 'second')
    expect(await untilDelivered(testPool, session, 2)).toEqual(['first', 'second'])
    expect(testPool.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to b',
      'launchAgent b#2',
    ])
  })

  it('law 8: in the middle of a rescue it ends that first', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const hold = testPool.host.holdNext('stopAgent')
    const before = await runId(testPool, session)
    await testPool.hitWall(session, 'a')
    await hold.reached
    await testPool.signal(session, 'migrate')
    await testPool.send(session, '1', 'first')
    hold.open()
    await testPool.untilContinuedAsNew(testPool.handle(session), before)
    await testPool.untilOnAccount(session, 'b')
    expect(await untilDelivered(testPool, session, 1)).toEqual(['first'])
    const { rescueLog, rescues } = await testPool.describe(session)
    expect({ rescues, entries: rescueLog.length }).toEqual({ rescues: 1, entries: 1 })
    expect(testPool.host.calls.filter(({ step }) => step === 'launchAgent')).toHaveLength(2)
  })

  it('law 8: an order that comes with it is carried out', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const before = await runId(testPool, session)
    await Promise.all([testPool.signal(session, 'migrate'), testPool.move(session, { to: 'b' })])
    await testPool.untilOnAccount(session, 'b')
    await testPool.untilContinuedAsNew(testPool.handle(session), before)
    expect((await testPool.describe(session)).rescueLog).toMatchObject([{ cause: 'move', to: 'b' }])
  })

  it('law 8: a paused session stays paused', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    await testPool.signal(session, 'pause')
    await testPool.untilSession(session, ({ phase }) => phase === 'paused')
    await migrate(testPool, session)
    await testPool.send(session, '1', 'later')
    expect((await testPool.describe(session)).phase).toBe('paused')
    expect(testPool.host.processes.size).toBe(0)
    await testPool.signal(session, 'resume')
    await testPool.untilOnAccount(session, 'a')
    expect(await untilDelivered(testPool, session, 1)).toEqual(['later'])
  })

  it('law 8: the attention for an unwatched session ends with the next watch, also in another run', async () => {
    const testPool = await open({ accounts: ['a'], timing: { retryEvery: 500 } })
    const session = await testPool.startRunning('one')
    for (let tries = 0; tries < 3; tries++)
      testPool.host.failNext('watchAgent', failureFrom(new UnknownPlaceError('a')))
    await testPool.untilSession(session, ({ attention }) => attention !== null)
    await migrate(testPool, session)
    await testPool.untilSession(session, ({ attention }) => attention === null)
  })

  it('law 8, law 10: between two tries after a failed carry: no fallback is paid for, and the reason is still shown', async () => {
    const timing = { retryEvery: 2 * hour, retryMaxInterval: 4 * hour }
    const testPool = await openVirtual({ accounts: ['a', 'b'], substrates: ['key'], timing })
    const one = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    const two = await testPool.startRunning('two', { account: 'b', prompt: 'begin' })
    testPool.host.failNext('carry', failureFrom(new CarryFailedError('no room on b')), (name) => name === 'b')
    await testPool.hitWall(one, 'a', 12 * hour)
    const attention = 'the agent did not start on b: no room on b'
    await testPool.untilSession(one, (now) => now.attention === attention)
    await testPool.hitWall(two, 'b', 12 * hour)
    await testPool.untilOnSubstrate(two, 'key')
    await migrate(testPool, one)
    await testPool.server.advance(minute)
    expect(await testPool.describe(one)).toMatchObject({ phase: 'parked', attention })
    await testPool.untilOnSubstrate(one, 'key', 6 * hour, 10 * minute)
  })

  it('law 8: a long history is cut at the next watch, and not under the running watch', async () => {
    const testPool = await openVirtual({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    const first = await runId(testPool, session)
    await testPool.untilLong(testPool.handle(session), () => testPool.signal(session, 'resume'))
    await testPool.server.advance(minute)
    expect(await runId(testPool, session)).toBe(first)
    await testPool.hitWall(session, 'a')
    await testPool.untilContinuedAsNew(testPool.handle(session), first)
    await testPool.untilOnAccount(session, 'b')
    await testPool.hitWall(session, 'b', 5 * minute)
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    await testPool.untilOnAccount(session, 'b')
    expect((await testPool.describe(session)).rescueLog).toMatchObject([
      { to: 'b' },
      { to: null },
      { to: 'b' },
    ])
    expect(testPool.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to b',
      'launchAgent b#2',
      'stopAgent b#2',
      'launchAgent b#3',
    ])
  })

  it('law 8: a long history of the pool is cut in a quiet hour, and its state is kept', async () => {
    const testPool = await openVirtual({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.pollEvery = hour
    await testPool.hitWall(session, 'a', 12 * hour)
    await testPool.untilOnAccount(session, 'b')
    const [{ runId: first }, before] = [await testPool.poolHandle.describe(), await testPool.describePool()]
    await testPool.untilLong(testPool.poolHandle, () =>
      testPool.poolHandle.signal(poolSignals.liftWall, 'nobody'),
    )
    await testPool.untilContinuedAsNew(testPool.poolHandle, first, 7 * hour, hour)
    expect(await testPool.describePool()).toEqual(before)
  })
})
