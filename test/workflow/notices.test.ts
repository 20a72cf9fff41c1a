import { describe, expect, it } from 'vitest'
import type { Announcement } from '../../workflows/messages.js'
import { poolSignals } from '../../workflows/messages.js'
import { hour, minute, second, type Stage } from './harness/stage.js'
import { useStage } from './harness/useStage.js'

const open = useStage()

const notices = {
  ...{ channels: ['me'], settle: 30 * second },
  ...{ retryEvery: minute, retryAtMost: 30 * minute, giveUpAfter: 24 * hour },
}

const kinds = (stage: Stage): string[] => stage.host.told.map(({ notice }) => notice.kind)
const untilTold = (stage: Stage, count: number, within = 2 * hour) =>
  stage.until(
    `${count} notices`,
    () => Promise.resolve(stage.host.told),
    (told) => told.length >= count,
    within,
    10 * second,
  )

async function migrate(stage: Stage): Promise<void> {
  const { runId } = await stage.poolHandle.describe()
  await stage.poolHandle.signal(poolSignals.migrate)
  await stage.until(
    'a new run of the pool',
    async () => (await stage.poolHandle.describe()).runId,
    (now) => now !== runId,
  )
}

describe('told, once', () => {
  it('law 10: sessions parked together are one notice, "all up again" is one more, and a new run of the pool repeats nothing', async () => {
    const stage = await open({ accounts: ['a'], notices })
    const sessions = []
    for (let n = 0; n < 5; n++) sessions.push(await stage.up(`s${n}`))
    for (const session of sessions) await stage.hitsWall(session, 'a', hour)
    const [first] = await untilTold(stage, 1)
    expect(first!.notice).toMatchObject({ kind: 'parked', title: `5 sessions of pool ${stage.pool} waiting` })
    expect(first!.notice.text).toContain('a walled until')
    await migrate(stage)
    await stage.theatre.pass(20 * minute)
    expect(kinds(stage)).toEqual(['parked'])
    for (const session of sessions) await stage.untilOn(session, 'a', 2 * hour, minute)
    await untilTold(stage, 2)
    await stage.theatre.pass(hour)
    expect(kinds(stage)).toEqual(['parked', 'up-again'])
  })

  it('a channel that takes nothing holds nobody up, and hears it when it can', async () => {
    const stage = await open({ accounts: ['a', 'b'], notices: { ...notices, channels: ['me', 'phone'] } })
    stage.host.mute.add('phone')
    const announcement: Announcement = {
      key: 'incident/bot/1',
      kind: 'incident',
      title: 'bot',
      text: 'is down',
    }
    await stage.poolHandle.signal(poolSignals.announce, announcement)
    await untilTold(stage, 1)
    // The session moves while the channel is silent.
    const session = await stage.up('one', { account: 'a' })
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
    stage.host.mute.clear()
    await stage.poolHandle.signal(poolSignals.announce, announcement)
    await untilTold(stage, 2)
    await stage.theatre.pass(hour)
    expect(stage.host.told.map(({ channel, notice }) => [channel, notice.kind])).toEqual([
      ['me', 'incident'],
      ['phone', 'incident'],
    ])
  })
})
