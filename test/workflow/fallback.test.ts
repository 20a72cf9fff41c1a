import { describe, expect, it } from 'vitest'
import { sessionSignals } from '../../workflows/messages.js'
import { hour, minute, type TestPool } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'
import { failureFrom } from '../../activities/failures.js'
import { SecretMissingError } from '../../host/errors.js'

const open = useTestPool()

/** These tests last for virtual hours: a check every few seconds would mean thousands. */
const rareChecks = 5 * minute
/** So a watch may notice this late. */
const soon = 30 * minute

/** A session that had to leave its only account, walled for an hour, for a substrate. */
async function onFallback(
  testPool: TestPool,
  name = 'one',
  change: Parameters<TestPool['startRunning']>[1] = {},
): Promise<string> {
  const session = await testPool.startRunning(name, { account: 'a', prompt: `begin ${name}`, ...change })
  testPool.host.pollEvery = rareChecks
  await testPool.hitWall(session, 'a', hour)
  return session
}

/** Lets the hour pass; the session is ordered back and is at rest. */
async function failsBack(testPool: TestPool, session: string): Promise<void> {
  await testPool.until(
    'the order to fail back',
    () => Promise.resolve(testPool.host.failingBack.has(session)),
    (called) => called,
    2 * hour,
    10 * minute,
  )
  testPool.host.willObserve(session, { kind: 'ready-for-failback', wasWorking: false })
  await testPool.untilOnAccount(session, 'a', soon, minute)
}

describe('law 2: on a substrate', () => {
  it('law 2, law 5: the session goes on, on a fork of its conversation, and shows on which substrate and since when', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await onFallback(testPool)
    const now = await testPool.untilOnSubstrate(session, 'key', soon, minute)
    expect(testPool.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to key',
      'launchAgent key#2',
    ])
    const [first, second] = testPool.host.launches
    expect(second).toMatchObject({ forkOf: first!.sessionId, model: 'key-model', mode: 'resume' })
    expect(now).toMatchObject({ account: null, sessionId: first!.sessionId, model: 'key-model', rescues: 1 })
    expect(now.fork).toBe(second!.sessionId)
    expect(now.fork).not.toBe(now.sessionId)
    expect(now.transcript).toBe(`/key/${now.fork!}.jsonl`)
    expect(now.since! > now.startedAt).toBe(true)
    expect(now.rescueLog.at(-1)).toMatchObject({ cause: 'wall', from: 'a', to: 'key' })
    expect(await testPool.leases()).toEqual({ a: [], key: [session] })
  })

  it('fails back at rest when the account is able again: to its original conversation, with the fork handed over in the next text', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await onFallback(testPool, 'one', { model: 'opus' })
    const { fork } = await testPool.untilOnSubstrate(session, 'key', soon, minute)
    await testPool.send(session, 'a text', 'said on the fork')
    await failsBack(testPool, session)
    const onAccount = await testPool.describe(session)
    expect(onAccount).toMatchObject({ account: 'a', substrate: null, fork: null, model: 'opus' })
    expect(onAccount.rescueLog.at(-1)).toMatchObject({ cause: 'home', from: 'key', to: 'a' })
    expect(onAccount.rescues).toBe(1)
    const launch = testPool.host.launches.at(-1)!
    expect(launch).toMatchObject({
      sessionId: onAccount.sessionId,
      forks: [fork],
      prompt: null,
      model: 'opus',
    })
    expect(testPool.host.handedOver).toEqual([])
    await testPool.send(session, 'next', 'go on then')
    await testPool.until(
      'the next text',
      () => Promise.resolve(testPool.host.handedOver),
      (all) => all.length > 0,
      soon,
      minute,
    )
    expect(testPool.host.handedOver).toEqual([{ session, to: onAccount.sessionId, fork }])
  })

  it('a person’s order moves it only to an able account, and is logged as a move, not as a rescue', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key', 'gateway'] })
    const session = await onFallback(testPool)
    await testPool.untilOnSubstrate(session, 'key', soon, minute)
    await testPool.move(session)
    const stays = await testPool.untilSession(
      session,
      ({ rescueLog, phase }) => rescueLog.length === 2 && phase === 'working',
      soon,
      minute,
    )
    expect(stays).toMatchObject({ substrate: 'key', rescues: 1 })
    expect(stays.rescueLog.at(-1)).toMatchObject({ cause: 'move', from: 'key', to: 'key' })
    await testPool.server.advance(hour)
    await testPool.move(session)
    const moved = await testPool.untilOnAccount(session, 'a', soon, minute)
    expect(moved.rescues).toBe(1)
    expect(moved.rescueLog.at(-1)).toMatchObject({ cause: 'move', from: 'key', to: 'a', wall: null })
  })

  it('law 6: a substrate that refuses is left: the same fork goes on, on the next one', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key', 'gateway'] })
    const session = await onFallback(testPool)
    const { fork } = await testPool.untilOnSubstrate(session, 'key', soon, minute)
    await testPool.hitSubstrateWall(session, 'key')
    const next = await testPool.untilOnSubstrate(session, 'gateway', soon, minute)
    expect(next.fork).toBe(fork)
    expect(testPool.steps(session).slice(-3)).toEqual([
      'stopAgent key#2',
      'carry to gateway',
      'launchAgent gateway#3',
    ])
    // It does not move back and forth: it stays there when the first has cooled down.
    await testPool.server.advance(40 * minute)
    expect((await testPool.describe(session)).substrate).toBe('gateway')
  })

  it('law 10: with all substrates spent too it is parked, and the first that is free takes it, with the work handed over at once', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await onFallback(testPool)
    const { fork } = await testPool.untilOnSubstrate(session, 'key', soon, minute)
    await testPool.hitSubstrateWall(session, 'key', 3 * hour)
    await testPool.untilSession(session, ({ phase }) => phase === 'parked', soon, minute)
    expect(testPool.host.processes.size).toBe(0)
    const awake = await testPool.untilOnAccount(session, 'a', 2 * hour, 10 * minute)
    expect(awake.rescueLog.at(-1)).toMatchObject({ cause: 'wake', to: 'a' })
    // Its work there was interrupted, so it is told to go on, and gets the fork's hand-over.
    expect(testPool.host.launches.at(-1)!.prompt?.text).toContain('Continue the task')
    expect(testPool.host.handedOver).toEqual([{ session, to: awake.sessionId, fork }])
  })

  it('law 5: two forks in a row: the second is told of the first, and the original of both', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await onFallback(testPool)
    const first = await testPool.untilOnSubstrate(session, 'key', soon, minute)
    await failsBack(testPool, session)
    await testPool.hitWall(session, 'a', hour)
    const second = await testPool.untilOnSubstrate(session, 'key', soon, minute)
    expect(second.fork).not.toBe(first.fork)
    await failsBack(testPool, session)
    await testPool.send(session, 'next', 'go on then')
    const { sessionId } = await testPool.describe(session)
    await testPool.until(
      'both',
      () => Promise.resolve(testPool.host.handedOver),
      (all) => all.filter(({ to }) => to === sessionId).length === 2,
      soon,
      minute,
    )
    expect(testPool.host.handedOver.map(({ to, fork }) => [to, fork])).toEqual([
      [second.fork, first.fork],
      [sessionId, first.fork],
      [sessionId, second.fork],
    ])
  })

  it('a session that wants no fallback is parked instead', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await onFallback(testPool, 'one', { fallback: [] })
    await testPool.untilSession(session, ({ phase }) => phase === 'parked', soon, minute)
    await testPool.untilOnAccount(session, 'a', 2 * hour, 10 * minute)
    expect(testPool.host.launches.map(({ place }) => place.name)).toEqual(['a', 'a'])
  })

  it('law 2: a session that is started while the pool is dry begins on the substrate, and its first prompt is not lost at failback', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    testPool.host.pollEvery = rareChecks
    const now = await testPool.server.now()
    testPool.host.accounts.get('a')!.hitWall(now, now + hour)
    const session = await testPool.start('one', { prompt: 'begin' })
    const { fork, sessionId } = await testPool.untilOnSubstrate(session, 'key', soon, minute)
    expect(testPool.host.launches).toMatchObject([
      { sessionId: fork, mode: 'new', prompt: { text: 'begin' } },
    ])
    await failsBack(testPool, session)
    expect(testPool.host.launches.at(-1)).toMatchObject({ sessionId, forks: [fork], prompt: null })
  })

  it('law 7: a substrate on which no agent starts is skipped, and the session goes on with that fork', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key', 'gateway'] })
    testPool.host.failNext(
      'launchAgent',
      failureFrom(new SecretMissingError('no such variable')),
      (place) => place === 'key',
    )
    const session = await onFallback(testPool)
    const onGateway = await testPool.untilOnSubstrate(session, 'gateway', soon, minute)
    expect(onGateway.rescueLog.at(-1)?.steps.map(({ name }) => name)).toContain('on key')
    expect(testPool.host.launches.at(-1)!.sessionId).toBe(onGateway.fork)
  })

  it('a conversation that is too long for a substrate is never sent there again', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await onFallback(testPool)
    await testPool.untilOnSubstrate(session, 'key', soon, minute)
    await testPool.observe(session, { kind: 'unfit', text: 'Prompt is too long', wasWorking: true })
    await testPool.untilSession(session, ({ phase }) => phase === 'parked', soon, minute)
    await testPool.untilOnAccount(session, 'a', 2 * hour, 10 * minute)
    expect(testPool.host.launches.map(({ place }) => place.name)).toEqual(['a', 'key', 'a'])
  })

  it('if a person begins another conversation on the fork, both are handed over', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await onFallback(testPool)
    const { fork, sessionId } = await testPool.untilOnSubstrate(session, 'key', soon, minute)
    await testPool.observe(session, {
      kind: 'renamed',
      sessionId: 'another',
      transcript: null,
      transcriptFrom: 0,
    })
    const renamed = await testPool.untilSession(session, (details) => details.fork === 'another')
    expect(renamed.sessionId).toBe(sessionId)
    await failsBack(testPool, session)
    expect(testPool.host.launches.at(-1)).toMatchObject({ sessionId, forks: [fork, 'another'] })
  })

  it('law 10: an order to fail back that comes during the launch on the substrate is not lost', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const hold = testPool.host.holdNext('launchAgent')
    let isThere = false
    void hold.reached.then(() => (isThere = true))
    await testPool.hitWall(session, 'a', hour)
    await testPool.until(
      'the launch',
      () => Promise.resolve(isThere),
      (there) => there,
    )
    await testPool.handle(session).signal(sessionSignals.failback)
    hold.open()
    await testPool.untilOnSubstrate(session, 'key')
    await testPool.until(
      'the call',
      () => Promise.resolve(testPool.host.failingBack.has(session)),
      (called) => called,
    )
  })

  it('a late order to fail back moves nothing if the session is on its account already', async () => {
    const testPool = await open({ accounts: ['a', 'b'], substrates: ['key'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.handle(session).signal(sessionSignals.failback)
    await testPool.server.advance(minute)
    expect(testPool.host.failingBack.size).toBe(0)
    expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
  })
})
