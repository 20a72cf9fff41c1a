import { describe, expect, it } from 'vitest'
import { sessionSignals } from '../../workflows/messages.js'
import { hour, minute, type Stage } from './harness/stage.js'
import { useStage } from './harness/useStage.js'
import { failureFrom } from '../../activities/failures.js'
import { SecretMissingError } from '../../host/errors.js'

const open = useStage()

/** Hours pass here: a look every few seconds would be thousands. */
const looksSeldom = 5 * minute
/** So what a watch sees may take this long. */
const soon = 30 * minute

/** A session that had to leave its only account, walled for an hour, for a substrate. */
async function away(stage: Stage, name = 'one', change: Parameters<Stage['up']>[1] = {}): Promise<string> {
  const session = await stage.up(name, { account: 'a', prompt: `begin ${name}`, ...change })
  stage.host.lookEvery = looksSeldom
  await stage.hitsWall(session, 'a', hour)
  return session
}

/** Lets the hour pass; the session is called and found at rest. */
async function comesHome(stage: Stage, session: string): Promise<void> {
  await stage.until(
    'the call home',
    () => Promise.resolve(stage.host.calledHome.has(session)),
    (called) => called,
    2 * hour,
    10 * minute,
  )
  stage.host.sees(session, { kind: 'ready-for-home', wasWorking: false })
  await stage.untilOn(session, 'a', soon, minute)
}

describe('law 2: on a substrate', () => {
  it('law 2, law 5: the session goes on, on a fork of its conversation, and says on what and since when', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await away(stage)
    const now = await stage.untilAway(session, 'key', soon, minute)
    expect(stage.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to key',
      'launchAgent key#2',
    ])
    const [first, second] = stage.host.launches
    expect(second).toMatchObject({ forkOf: first!.sessionId, model: 'key-model', mode: 'resume' })
    expect(now).toMatchObject({ account: null, sessionId: first!.sessionId, model: 'key-model', rescues: 1 })
    expect(now.fork).toBe(second!.sessionId)
    expect(now.fork).not.toBe(now.sessionId)
    expect(now.transcript).toBe(`/key/${now.fork!}.jsonl`)
    expect(now.since! > now.startedAt).toBe(true)
    expect(now.rescueLog.at(-1)).toMatchObject({ cause: 'wall', from: 'a', to: 'key' })
    expect(await stage.leases()).toEqual({ a: [], key: [session] })
  })

  it('goes home at rest when the account is able again: its own conversation, the fork handed over with the next text', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await away(stage, 'one', { model: 'opus' })
    const { fork } = await stage.untilAway(session, 'key', soon, minute)
    await stage.send(session, 'a text', 'said on the fork')
    await comesHome(stage, session)
    const home = await stage.show(session)
    expect(home).toMatchObject({ account: 'a', substrate: null, fork: null, model: 'opus' })
    expect(home.rescueLog.at(-1)).toMatchObject({ cause: 'home', from: 'key', to: 'a' })
    expect(home.rescues).toBe(1)
    const launch = stage.host.launches.at(-1)!
    expect(launch).toMatchObject({ sessionId: home.sessionId, forks: [fork], prompt: null, model: 'opus' })
    expect(stage.host.handedOver).toEqual([])
    await stage.send(session, 'next', 'go on then')
    await stage.until(
      'the next text',
      () => Promise.resolve(stage.host.handedOver),
      (all) => all.length > 0,
      soon,
      minute,
    )
    expect(stage.host.handedOver).toEqual([{ session, to: home.sessionId, fork }])
  })

  it('law 6: a substrate that refuses ends the stay there: the same fork goes on, on the next one', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key', 'gateway'] })
    const session = await away(stage)
    const { fork } = await stage.untilAway(session, 'key', soon, minute)
    await stage.refusedBy(session, 'key')
    const next = await stage.untilAway(session, 'gateway', soon, minute)
    expect(next.fork).toBe(fork)
    expect(stage.steps(session).slice(-3)).toEqual([
      'stopAgent key#2',
      'carry to gateway',
      'launchAgent gateway#3',
    ])
    // No ping-pong: it stays there when the first has cooled down.
    await stage.theatre.pass(40 * minute)
    expect((await stage.show(session)).substrate).toBe('gateway')
  })

  it('law 10: with all substrates spent too it is parked, and what is free first takes it, with the work handed over at once', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await away(stage)
    const { fork } = await stage.untilAway(session, 'key', soon, minute)
    await stage.refusedBy(session, 'key', 3 * hour)
    await stage.untilSession(session, ({ phase }) => phase === 'parked', soon, minute)
    expect(stage.host.processes.size).toBe(0)
    const awake = await stage.untilOn(session, 'a', 2 * hour, 10 * minute)
    expect(awake.rescueLog.at(-1)).toMatchObject({ cause: 'wake', to: 'a' })
    // Its work there was cut off, so that it is told to go on, and what the fork did comes along.
    expect(stage.host.launches.at(-1)!.prompt?.text).toContain('Continue the task')
    expect(stage.host.handedOver).toEqual([{ session, to: awake.sessionId, fork }])
  })

  it('law 5: two forks in a row: the second is told of the first, and home of both', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await away(stage)
    const first = await stage.untilAway(session, 'key', soon, minute)
    await comesHome(stage, session)
    await stage.hitsWall(session, 'a', hour)
    const second = await stage.untilAway(session, 'key', soon, minute)
    expect(second.fork).not.toBe(first.fork)
    await comesHome(stage, session)
    await stage.send(session, 'next', 'go on then')
    const { sessionId } = await stage.show(session)
    await stage.until(
      'both',
      () => Promise.resolve(stage.host.handedOver),
      (all) => all.filter(({ to }) => to === sessionId).length === 2,
      soon,
      minute,
    )
    expect(stage.host.handedOver.map(({ to, fork }) => [to, fork])).toEqual([
      [second.fork, first.fork],
      [sessionId, first.fork],
      [sessionId, second.fork],
    ])
  })

  it('a session that wants no fallback is parked instead', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await away(stage, 'one', { fallback: [] })
    await stage.untilSession(session, ({ phase }) => phase === 'parked', soon, minute)
    await stage.untilOn(session, 'a', 2 * hour, 10 * minute)
    expect(stage.host.launches.map(({ place }) => place.name)).toEqual(['a', 'a'])
  })

  it('law 2: one that is started while the pool is dry begins on the substrate, and its first prompt is not lost at home', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    stage.host.lookEvery = looksSeldom
    const now = await stage.theatre.now()
    stage.host.accounts.get('a')!.hitWall(now, now + hour)
    const session = await stage.start('one', { prompt: 'begin' })
    const { fork, sessionId } = await stage.untilAway(session, 'key', soon, minute)
    expect(stage.host.launches).toMatchObject([{ sessionId: fork, mode: 'new', prompt: { text: 'begin' } }])
    await comesHome(stage, session)
    expect(stage.host.launches.at(-1)).toMatchObject({ sessionId, forks: [fork], prompt: null })
  })

  it('law 7: a substrate on which nothing starts is passed over, and its fork is the one that goes on', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key', 'gateway'] })
    stage.host.fails(
      'launchAgent',
      failureFrom(new SecretMissingError('no such variable')),
      (place) => place === 'key',
    )
    const session = await away(stage)
    const there = await stage.untilAway(session, 'gateway', soon, minute)
    expect(there.rescueLog.at(-1)?.steps.map(({ name }) => name)).toContain('on key')
    expect(stage.host.launches.at(-1)!.sessionId).toBe(there.fork)
  })

  it('a conversation that is too long for a substrate is never put there again', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await away(stage)
    await stage.untilAway(session, 'key', soon, minute)
    await stage.sees(session, { kind: 'unfit', text: 'Prompt is too long', wasWorking: true })
    await stage.untilSession(session, ({ phase }) => phase === 'parked', soon, minute)
    await stage.untilOn(session, 'a', 2 * hour, 10 * minute)
    expect(stage.host.launches.map(({ place }) => place.name)).toEqual(['a', 'key', 'a'])
  })

  it('a person who begins another conversation on the fork: both are handed over', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await away(stage)
    const { fork, sessionId } = await stage.untilAway(session, 'key', soon, minute)
    await stage.sees(session, { kind: 'renamed', sessionId: 'another', transcript: null, transcriptFrom: 0 })
    expect(await stage.show(session)).toMatchObject({ fork: 'another', sessionId })
    await comesHome(stage, session)
    expect(stage.host.launches.at(-1)).toMatchObject({ sessionId, forks: [fork, 'another'] })
  })

  it('law 10: a call home that comes while the launch on the substrate goes on is not lost', async () => {
    const stage = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await stage.up('one', { account: 'a' })
    const hold = stage.host.holds('launchAgent')
    let isThere = false
    void hold.reached.then(() => (isThere = true))
    await stage.hitsWall(session, 'a', hour)
    await stage.until(
      'the launch',
      () => Promise.resolve(isThere),
      (there) => there,
    )
    await stage.handle(session).signal(sessionSignals.callHome)
    hold.open()
    await stage.untilAway(session, 'key')
    await stage.until(
      'the call',
      () => Promise.resolve(stage.host.calledHome.has(session)),
      (called) => called,
    )
  })

  it('a call that comes late, to a session that is at home, moves nothing', async () => {
    const stage = await open({ accounts: ['a', 'b'], substrates: ['key'] })
    const session = await stage.up('one', { account: 'a' })
    await stage.handle(session).signal(sessionSignals.callHome)
    await stage.theatre.pass(minute)
    expect(stage.host.calledHome.size).toBe(0)
    expect(stage.steps(session)).toEqual(['launchAgent a#1'])
  })
})
