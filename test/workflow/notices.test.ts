import { describe, expect, it } from 'vitest'
import type { Announcement } from '../../policy/notices/notice.js'
import { poolSignals } from '../../workflows/messages.js'
import { hour, minute, second, type TestPool } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'

const open = useTestPool()

const notices = {
  ...{ channels: ['me'], settleFor: 30 * second },
  ...{ retryEvery: minute, retryMaxInterval: 30 * minute, giveUpAfter: 24 * hour },
}

const kinds = (testPool: TestPool): string[] => testPool.host.sentNotices.map(({ notice }) => notice.kind)
const untilTold = (testPool: TestPool, count: number, within = 2 * hour) =>
  testPool.until(
    `${count} notices`,
    () => Promise.resolve(testPool.host.sentNotices),
    (told) => told.length >= count,
    within,
    10 * second,
  )

async function migrate(testPool: TestPool): Promise<void> {
  const { runId } = await testPool.poolHandle.describe()
  await testPool.poolHandle.signal(poolSignals.migrate)
  await testPool.until(
    'a new run of the pool',
    async () => (await testPool.poolHandle.describe()).runId,
    (now) => now !== runId,
  )
}

describe('notices are sent once', () => {
  it('law 10: sessions parked together are one notice, "all up again" is one more, and a new run of the pool repeats neither', async () => {
    const testPool = await open({ accounts: ['a'], notices })
    const sessions = []
    for (let n = 0; n < 5; n++) sessions.push(await testPool.startRunning(`s${n}`))
    for (const session of sessions) await testPool.hitWall(session, 'a', hour)
    const [first] = await untilTold(testPool, 1)
    expect(first!.notice).toMatchObject({
      kind: 'parked',
      title: `5 sessions of pool ${testPool.name} waiting`,
    })
    expect(first!.notice.text).toContain('a walled until')
    await migrate(testPool)
    await testPool.server.advance(20 * minute)
    expect(kinds(testPool)).toEqual(['parked'])
    for (const session of sessions) await testPool.untilOnAccount(session, 'a', 2 * hour, minute)
    await untilTold(testPool, 2)
    await testPool.server.advance(hour)
    expect(kinds(testPool)).toEqual(['parked', 'up-again'])
  })

  it('a channel that is down delays no other, and gets the notice when it is back', async () => {
    const testPool = await open({ accounts: ['a', 'b'], notices: { ...notices, channels: ['me', 'phone'] } })
    testPool.host.mutedChannels.add('phone')
    const announcement: Announcement = {
      key: 'incident/bot/1',
      kind: 'incident',
      title: 'bot',
      text: 'is down',
    }
    await testPool.poolHandle.signal(poolSignals.announce, announcement)
    await untilTold(testPool, 1)
    // The session moves while the channel is down.
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    testPool.host.mutedChannels.clear()
    await testPool.poolHandle.signal(poolSignals.announce, announcement)
    await untilTold(testPool, 2)
    await testPool.server.advance(hour)
    expect(testPool.host.sentNotices.map(({ channel, notice }) => [channel, notice.kind])).toEqual([
      ['me', 'incident'],
      ['phone', 'incident'],
    ])
  })
})
