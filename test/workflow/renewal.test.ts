import { describe, expect, it } from 'vitest'
import { poolSignals } from '../../workflows/messages.js'
import { hour, minute, type Stage, type StageOptions } from './harness/stage.js'
import { Theatre } from './harness/theatre.js'
import { useStage } from './harness/useStage.js'
import { failureFrom } from '../../activities/failures.js'
import { UnknownPlaceError } from '../../host/errors.js'

const openReal = useStage(() => Theatre.openReal())
const openVirtual = useStage()

/** On the wall clock: looks are short. */
async function open(options: StageOptions): Promise<Stage> {
  const stage = await openReal(options)
  stage.step = 50
  stage.host.lookEvery = 100
  return stage
}

const runId = async (stage: Stage, session: string): Promise<string> =>
  (await stage.handle(session).describe()).runId

/** Has the session begin a new run, and waits until it has. */
async function migrate(stage: Stage, session: string): Promise<void> {
  const before = await runId(stage, session)
  await stage.order(session, 'migrate')
  await stage.untilRenewed(stage.handle(session), before)
}

const untilDelivered = (stage: Stage, session: string, count: number): Promise<string[]> =>
  stage.until(
    `${count} texts`,
    () => Promise.resolve(stage.host.delivered.get(session) ?? []),
    (texts) => texts.length >= count,
  )

describe('law 8: the history of a session is cut, and nothing is lost by it', () => {
  it('law 8, law 5: while it runs and a text waits', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    stage.host.busy.add(session)
    await stage.send(session, '1', 'first')
    const before = await stage.show(session)
    await migrate(stage, session)
    expect(await stage.show(session)).toEqual(before)
    stage.host.busy.delete(session)
    expect(await untilDelivered(stage, session, 1)).toEqual(['first'])
    await migrate(stage, session)
    // In the next run its id is still known.
    await stage.send(session, '1', 'first')
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
    await stage.send(session, '2', 'second')
    expect(await untilDelivered(stage, session, 2)).toEqual(['first', 'second'])
    expect(stage.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to b',
      'launchAgent b#2',
    ])
  })

  it('law 8: in the middle of a rescue it ends that first', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const hold = stage.host.holds('stopAgent')
    const before = await runId(stage, session)
    await stage.hitsWall(session, 'a')
    await hold.reached
    await stage.order(session, 'migrate')
    await stage.send(session, '1', 'first')
    hold.open()
    await stage.untilRenewed(stage.handle(session), before)
    await stage.untilOn(session, 'b')
    expect(await untilDelivered(stage, session, 1)).toEqual(['first'])
    const { rescueLog, rescues } = await stage.show(session)
    expect({ rescues, entries: rescueLog.length }).toEqual({ rescues: 1, entries: 1 })
    expect(stage.host.asked.filter(({ step }) => step === 'launchAgent')).toHaveLength(2)
  })

  it('law 8: an order that comes with it is carried out', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const before = await runId(stage, session)
    await Promise.all([stage.order(session, 'migrate'), stage.move(session, { to: 'b' })])
    await stage.untilOn(session, 'b')
    await stage.untilRenewed(stage.handle(session), before)
    expect((await stage.show(session)).rescueLog).toMatchObject([{ cause: 'move', to: 'b' }])
  })

  it('law 8: a paused session stays paused', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    await stage.order(session, 'pause')
    await stage.untilSession(session, ({ phase }) => phase === 'paused')
    await migrate(stage, session)
    await stage.send(session, '1', 'later')
    expect((await stage.show(session)).phase).toBe('paused')
    expect(stage.host.processes.size).toBe(0)
    await stage.order(session, 'resume')
    await stage.untilOn(session, 'a')
    expect(await untilDelivered(stage, session, 1)).toEqual(['later'])
  })

  it('law 8: what a person is told while nobody watches it ends with the next watch, also in another run', async () => {
    const stage = await open({ accounts: ['a'], timing: { retryEvery: 500 } })
    const session = await stage.up('one')
    for (let tries = 0; tries < 3; tries++)
      stage.host.fails('watchAgent', failureFrom(new UnknownPlaceError('a')))
    await stage.untilSession(session, ({ attention }) => attention !== null)
    await migrate(stage, session)
    await stage.untilSession(session, ({ attention }) => attention === null)
  })

  it('law 8: a long one is cut at the next watch, and not under the watch that stands', async () => {
    const stage = await openVirtual({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    const first = await runId(stage, session)
    await stage.untilLong(stage.handle(session), () => stage.order(session, 'resume'))
    await stage.theatre.pass(minute)
    expect(await runId(stage, session)).toBe(first)
    await stage.hitsWall(session, 'a')
    await stage.untilRenewed(stage.handle(session), first)
    await stage.untilOn(session, 'b')
    await stage.hitsWall(session, 'b', 5 * minute)
    await stage.untilSession(session, ({ phase }) => phase === 'parked')
    await stage.untilOn(session, 'b')
    expect((await stage.show(session)).rescueLog).toMatchObject([{ to: 'b' }, { to: null }, { to: 'b' }])
    expect(stage.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to b',
      'launchAgent b#2',
      'stopAgent b#2',
      'launchAgent b#3',
    ])
  })

  it('law 8: a long one of the pool is cut in a quiet hour, and it knows all that it knew', async () => {
    const stage = await openVirtual({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    stage.host.lookEvery = hour
    await stage.hitsWall(session, 'a', 12 * hour)
    await stage.untilOn(session, 'b')
    const [{ runId: first }, before] = [await stage.poolHandle.describe(), await stage.view()]
    await stage.untilLong(stage.poolHandle, () => stage.poolHandle.signal(poolSignals.lift, 'nobody'))
    await stage.untilRenewed(stage.poolHandle, first, 7 * hour, hour)
    expect(await stage.view()).toEqual(before)
  })
})
