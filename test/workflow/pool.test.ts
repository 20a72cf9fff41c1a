import { describe, expect, it } from 'vitest'
import type { LeaseGrant, LeaseDenial } from '../../policy/pool/lease.js'
import { sessionSignals } from '../../workflows/messages.js'
import { day, hour, minute, type TestPool } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'

const open = useTestPool()

async function migratePool(testPool: TestPool): Promise<void> {
  const before = (await testPool.poolHandle.describe()).runId
  await testPool.poolHandle.signal('migrate')
  await testPool.until(
    'a new run of the pool',
    async () => (await testPool.poolHandle.describe()).runId,
    (now) => now !== before,
  )
}

describe('the pool', () => {
  it('law 10: a session without its pool waits, says what is missing, and starts when the pool does', async () => {
    const testPool = await open({ accounts: ['a'], withPool: false })
    const session = await testPool.start('one')
    const { attention } = await testPool.untilSession(session, (now) => now.attention !== null)
    expect(attention).toMatch(/pool .* not running/)
    await testPool.startPool()
    expect((await testPool.untilOnAccount(session, 'a')).attention).toBeNull()
  })

  it('law 3: a late grant of an old request starts nothing', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const { fence } = testPool.host.launches[0]!
    // The fence of another session's lease: the pool gives none twice.
    await testPool.startRunning('another', { account: 'b' })
    const late: LeaseGrant = {
      requestId: 'of old',
      place: { kind: 'account', name: 'b' },
      model: null,
      fence: fence + 1,
      why: 'late',
    }
    await testPool.handle(session).signal(sessionSignals.leaseGranted, late)
    const stale: LeaseGrant = {
      requestId: 'of old',
      place: { kind: 'account', name: 'b' },
      model: null,
      fence: fence - 1,
      why: 'stale',
    }
    await testPool.handle(session).signal(sessionSignals.leaseGranted, stale)
    await testPool.server.advance(10 * minute)
    expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
    // It must not keep the session from using the next, right one.
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
  })

  it('law 10: if the host got no answer from the pool, the session asks for itself', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const now = await testPool.server.now()
    const wall = testPool.host.accounts.get('a')!.hitWall(now, now + hour)
    testPool.host.willObserve(session, { kind: 'walled', wall, lease: null })
    await testPool.untilOnAccount(session, 'b')
    expect(await testPool.leases()).toEqual({ a: [], b: [session] })
  })

  it('law 4: a grant that the session no longer needs leaves no lease behind', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const launch = testPool.host.holdNext('launchAgent')
    await testPool.hitWall(session, 'a')
    await launch.reached
    await testPool.signal(session, 'stop')
    launch.open()
    await testPool.untilSession(session, ({ phase }) => phase === 'stopped')
    expect(await testPool.leases()).toEqual({ a: [], b: [] })
    expect(testPool.host.processes.size).toBe(0)
  })

  it('law 10: a late denial of an old request parks no session', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const retryAt = new Date((await testPool.server.now()) + hour).toISOString()
    const late: LeaseDenial = { requestId: 'of old', why: 'late', retryAt, needsLogin: false }
    await testPool.handle(session).signal(sessionSignals.leaseDenied, late)
    await testPool.server.advance(minute)
    expect((await testPool.describe(session)).phase).toBe('working')
    await testPool.hitWall(session, 'a')
    await testPool.handle(session).signal(sessionSignals.leaseDenied, late)
    await testPool.untilOnAccount(session, 'b')
  })

  it('law 4: an unknown account is probed first, and takes one session at a time', async () => {
    const testPool = await open({ accounts: ['a'] })
    const a = testPool.host.accounts.get('a')!
    a.isRead = false
    a.isSilent = true
    const [one, two] = [await testPool.start('one'), await testPool.start('two')]
    const running = await testPool.until(
      'one of them to try it',
      () => Promise.all([testPool.describe(one), testPool.describe(two)]),
      (both) => both.some(({ phase }) => phase === 'working') && both.some(({ phase }) => phase === 'parked'),
    )
    expect(testPool.host.processes.size).toBe(1)
    const steps = testPool.host.calls.map(({ step }) => step)
    expect(steps.indexOf('probeAccount')).toBeGreaterThanOrEqual(0)
    expect(steps.indexOf('probeAccount')).toBeLessThan(steps.indexOf('launchAgent'))
    // Its first reading proves the account, and the other session may start.
    a.isRead = true
    a.isSilent = false
    const waiting = running[0].phase === 'parked' ? one : two
    await testPool.untilOnAccount(waiting, 'a', 12 * minute, 5_000)
    expect(testPool.host.processes.size).toBe(2)
  })

  it('law 4: no account holds more sessions than it may, however many ask at once', async () => {
    const testPool = await open({
      accounts: ['a', 'b'],
      specs: { a: { maxSessions: 2 }, b: { maxSessions: 1 } },
    })
    const names = await Promise.all(['1', '2', '3', '4', '5'].map((name) => testPool.start(name)))
    await testPool.until(
      'three to run and two to wait',
      () => Promise.all(names.map((name) => testPool.describe(name))),
      (all) =>
        all.filter(({ phase }) => phase === 'working').length === 3 &&
        all.filter(({ phase }) => phase === 'parked').length === 2,
    )
    const { a, b } = await testPool.leases()
    expect([a?.length, b?.length]).toEqual([2, 1])
    const onB = b![0]!
    await testPool.signal(onB, 'stop')
    await testPool.until(
      'the next one to get the place',
      () => testPool.leases(),
      (leases) => leases['b']!.length === 1 && leases['b']![0] !== onB,
    )
  })

  it('law 7: the leases of a terminated session are reclaimed without help', async () => {
    const testPool = await open({ accounts: ['a'], specs: { a: { maxSessions: 1 } } })
    const lost = await testPool.startRunning('gone')
    const next = await testPool.start('next')
    await testPool.untilSession(next, ({ phase }) => phase === 'parked')
    await testPool.handle(lost).terminate('out of the way')
    await testPool.untilOnAccount(next, 'a', 2 * hour, minute)
    expect(await testPool.leases()).toEqual({ a: [next] })
  })

  it('law 4: accounts that the configuration no longer names take no session', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const [kept] = testPool.settings.accounts.filter(({ name }) => name === 'b')
    await testPool.poolHandle.signal('configure', { ...testPool.settings, accounts: [kept!] })
    const session = await testPool.startRunning('one', { account: 'a' })
    expect((await testPool.describe(session)).account).toBe('b')
  })
})

describe('law 8: histories are cut, and nothing is lost by it', () => {
  it('law 8: a pool with leases, a waitlist and a parked session', async () => {
    const testPool = await open({ accounts: ['a', 'b'], specs: { b: { maxSessions: 1 } } })
    const one = await testPool.startRunning('one', { account: 'a' })
    const two = await testPool.startRunning('two', { account: 'b' })
    await testPool.hitWall(one, 'a', hour)
    await testPool.untilSession(one, ({ phase }) => phase === 'parked')
    const before = await testPool.describePool()
    await migratePool(testPool)
    const after = await testPool.describePool()
    expect(after.accounts.map(({ name, leases }) => [name, leases])).toEqual([
      ['a', []],
      ['b', [two]],
    ])
    expect(after.waitlist.map(({ session }) => session)).toEqual([one])
    expect(after.accounts.map(({ walls }) => walls)).toEqual(before.accounts.map(({ walls }) => walls))
    await testPool.untilOnAccount(one, 'a', 2 * hour, minute)
    // The fence keeps growing across runs: an older one would launch nothing.
    const fences = testPool.host.launches.map(({ fence }) => fence)
    expect([...fences].sort((a, b) => a - b)).toEqual(fences)
    expect(new Set(fences).size).toBe(fences.length)
  })

  it('law 8: a pool whose history is cut while sessions ask', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const names = await Promise.all(['1', '2', '3', '4'].map((name) => testPool.start(name)))
    await testPool.poolHandle.signal('migrate')
    for (const name of names) await testPool.untilSession(name, ({ phase }) => phase === 'working')
    expect(testPool.host.processes.size).toBe(4)
    expect(
      Object.values(await testPool.leases())
        .flat()
        .sort(),
    ).toEqual([...names].sort())
  })
})

describe('law 8: history grows with events, not with time', () => {
  it('law 8: an undisturbed rescue asks the host for a launch and a watch, and costs far less than 60 events', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const before = await testPool.historyLength(session)
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    const events = ((await testPool.handle(session).fetchHistory()).events ?? []).slice(before)
    const steps = events.flatMap(
      ({ activityTaskScheduledEventAttributes: step }) => step?.activityType?.name ?? [],
    )
    expect(steps).toEqual(['launchAgent', 'watchAgent'])
    expect(events.filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes)).toEqual(
      [],
    )
    // How many workflow tasks this takes depends on what arrives together.
    const isTask = (event: object): boolean =>
      Object.entries(event).some(([name, of]) => name.startsWith('workflowTask') && of != null)
    expect(events.length).toBeLessThanOrEqual(60)
    expect(events.filter((event) => !isTask(event)).length).toBeLessThanOrEqual(10)
  })

  it('law 8: a quiet session-day costs at most 50 events, of the session and of the pool', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.pollEvery = hour
    const [before, poolBefore] = [
      await testPool.historyLength(session),
      (await testPool.poolHandle.describe()).historyLength,
    ]
    await testPool.server.advance(day)
    expect((await testPool.historyLength(session)) - before).toBeLessThanOrEqual(50)
    // One check an hour for dead sessions, whatever the number of sessions.
    expect((await testPool.poolHandle.describe()).historyLength - poolBefore).toBeLessThanOrEqual(24 * 11)
  })
})
