import { describe, expect, it } from 'vitest'
import { hour, type TestPool } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'

const open = useTestPool()

const steps = ['stopAgent', 'carry', 'launchAgent'] as const

/** A session on `a` whose rescue has come as far as this step, and waits in it. */
async function inTheMiddle(testPool: TestPool, step: (typeof steps)[number]) {
  const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
  const hold = testPool.host.holdNext(step)
  await testPool.hitWall(session, 'a')
  let isThere = false
  void hold.reached.then(() => (isThere = true))
  await testPool.until(
    `the rescue at ${step}`,
    () => Promise.resolve(isThere),
    (isReached) => isReached,
  )
  return { session, letGo: hold.open }
}

describe('law 7: an order in the middle of a rescue', () => {
  for (const step of steps) {
    it(`law 3: stop during ${step}: nothing runs afterwards, and no lease is held`, async () => {
      const testPool = await open({ accounts: ['a', 'b'] })
      const { session, letGo } = await inTheMiddle(testPool, step)
      await testPool.signal(session, 'stop')
      letGo()
      const result: unknown = await testPool.handle(session).result()
      expect(result).toMatchObject({ phase: 'stopped', pane: null, pid: null })
      expect(testPool.host.processes.size).toBe(0)
      await testPool.until(
        'the lease to come back',
        () => testPool.leases(),
        ({ a, b }) => a?.length === 0 && b?.length === 0,
      )
      expect((await testPool.describePool()).waitlist).toEqual([])
    })

    it(`law 5: pause during ${step}: stopped, and resumed whole`, async () => {
      const testPool = await open({ accounts: ['a', 'b'] })
      const { session, letGo } = await inTheMiddle(testPool, step)
      await testPool.signal(session, 'pause')
      letGo()
      await testPool.untilSession(session, ({ phase }) => phase === 'paused')
      expect(testPool.host.processes.size).toBe(0)
      await testPool.until(
        'the lease to come back',
        () => testPool.leases(),
        ({ a, b }) => a?.length === 0 && b?.length === 0,
      )
      await testPool.server.advance(hour)
      expect((await testPool.describe(session)).phase).toBe('paused')
      await testPool.signal(session, 'resume')
      await testPool.untilOnAccount(session, 'b')
      expect(testPool.host.processes.size).toBe(1)
    })

    it(`law 3: move during ${step}: ends on the account that the person named, once`, async () => {
      const testPool = await open({ accounts: ['a', 'b', 'c'] })
      testPool.host.accounts.get('c')!.used = 0.5
      const { session, letGo } = await inTheMiddle(testPool, step)
      await testPool.move(session, { to: 'c' })
      letGo()
      const { rescues, rescueLog } = await testPool.untilOnAccount(session, 'c')
      expect(testPool.host.processes.size).toBe(1)
      expect(rescues).toBe(1)
      expect(rescueLog.every(({ endedAt }) => endedAt !== null)).toBe(true)
      expect(await testPool.leases()).toEqual({ a: [], b: [], c: [session] })
    })
  }

  it('law 3: two orders at once: both are carried out, and the later one decides', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.move(session, { to: 'b' })
    await testPool.signal(session, 'pause')
    await testPool.untilSession(session, ({ phase }) => phase === 'paused')
    expect(testPool.host.processes.size).toBe(0)
    await testPool.signal(session, 'resume')
    await testPool.signal(session, 'stop')
    await testPool.handle(session).result()
    expect(testPool.host.processes.size).toBe(0)
    expect(await testPool.leases()).toEqual({ a: [], b: [] })
  })

  it('law 7: an order that ends the pause after a crash leaves no move open in the rescue log', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    for (const crashes of [1, 2, 3]) {
      testPool.host.willObserve(session, { kind: 'exited', how: 'signal 11', byPerson: false })
      await testPool.untilSession(session, ({ rescueLog }) => rescueLog.length === crashes)
      if (crashes < 3) await testPool.untilOnAccount(session, 'a')
    }
    await testPool.untilSession(
      session,
      ({ phase, parkedUntil }) => phase === 'parked' && parkedUntil !== null,
    )
    await testPool.move(session, { to: 'b' })
    const { rescueLog, rescues } = await testPool.untilOnAccount(session, 'b')
    expect(rescueLog.map(({ cause, to }) => [cause, to])).toEqual([
      ['crash', 'a'],
      ['crash', 'a'],
      ['crash', null],
      ['move', 'b'],
    ])
    expect(rescueLog.every(({ endedAt }) => endedAt !== null)).toBe(true)
    expect(rescues).toBe(0)
  })

  it('law 10: a parked session obeys: stop ends it, and its place in the waitlist is gone', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    await testPool.hitWall(session, 'a')
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    await testPool.signal(session, 'stop')
    await testPool.handle(session).result()
    await testPool.until(
      'the waitlist to be empty',
      async () => (await testPool.describePool()).waitlist,
      (waiting) => waiting.length === 0,
    )
  })

  it('law 4: a person may name the account: the session waits for it, and for no other', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const now = await testPool.server.now()
    testPool.host.accounts.get('a')!.hitWall(now, now + hour)
    const session = await testPool.start('one', { account: 'a', pinned: true })
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    expect(testPool.host.launches).toHaveLength(0)
    await testPool.untilOnAccount(session, 'a', 2 * hour, 30_000)
  })

  it('law 4: a pinned session waits for its account at a wall too, while another is free, and goes where a person moves it', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a', pinned: true })
    await testPool.observe(session, { kind: 'near-limit', why: 'a at 97 %', wall: null })
    await testPool.server.advance(5_000)
    expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
    await testPool.hitWall(session, 'a', hour)
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    await testPool.untilOnAccount(session, 'a', 2 * hour, 30_000)
    await testPool.move(session, { to: 'b' })
    await testPool.untilOnAccount(session, 'b')
    expect((await testPool.describe(session)).pinnedTo).toBe('b')
    expect(new Set(testPool.host.launches.map(({ place }) => place.name))).toEqual(new Set(['a', 'b']))
  })

  it('law 7: a move to the account that it is on is done at once, without a restart', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.move(session, { to: 'a' })
    await testPool.server.advance(60_000)
    expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
  })

  it('law 7: a move that no account can take leaves the session running where it is', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const now = await testPool.server.now()
    testPool.host.accounts.get('b')!.hitWall(now, now + hour)
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.move(session, { to: 'b' })
    const { rescueLog } = await testPool.untilSession(
      session,
      (shown) => shown.phase === 'working' && (shown.rescueLog[0]?.endedAt ?? null) !== null,
    )
    expect(rescueLog[0]?.result).toMatch(/stayed/)
    expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
    expect(await testPool.leases()).toEqual({ a: [session], b: [] })
  })

  it('law 15: Temporal’s own cancellation, which anyone can ask for, changes nothing', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one')
    await testPool.handle(session).cancel()
    // Messages are acted on as before, also those that take steps of their own.
    await testPool.move(session, { to: 'b' })
    await testPool.untilSession(session, ({ phase, account }) => phase === 'working' && account === 'b')
    await testPool.signal(session, 'stop')
    expect(await testPool.handle(session).result()).toMatchObject({ phase: 'stopped' })
    expect(testPool.host.processes.size).toBe(0)
    expect(await testPool.leases()).toEqual({ a: [], b: [] })
  })

  it('law 15: Temporal’s own cancellation in the middle of a rescue does not stop it', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const { session, letGo } = await inTheMiddle(testPool, 'launchAgent')
    await testPool.handle(session).cancel()
    letGo()
    await testPool.untilSession(session, ({ phase }) => phase === 'working')
    expect(testPool.host.processes.size).toBe(1)
  })
})
