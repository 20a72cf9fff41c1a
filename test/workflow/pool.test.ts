import { describe, expect, it } from 'vitest'
import type { LeaseGrant, LeaseRefusal } from '../../policy/pool/lease.js'
import { sessionSignals } from '../../workflows/messages.js'
import { day, hour, minute, type Stage } from './harness/stage.js'
import { useStage } from './harness/useStage.js'

const open = useStage()

async function migratePool(stage: Stage): Promise<void> {
  const before = (await stage.poolHandle.describe()).runId
  await stage.poolHandle.signal('migrate')
  await stage.until(
    'a new run of the pool',
    async () => (await stage.poolHandle.describe()).runId,
    (now) => now !== before,
  )
}

describe('the pool', () => {
  it('law 10: a session without its pool waits, says what is missing, and starts when the pool does', async () => {
    const stage = await open({ accounts: ['a'], withPool: false })
    const session = await stage.start('one')
    const { attention } = await stage.untilSession(session, (now) => now.attention !== null)
    expect(attention).toMatch(/pool .* not running/)
    await stage.startPool()
    expect((await stage.untilOn(session, 'a')).attention).toBeNull()
  })

  it('law 3: a late grant of an old request starts nothing', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const { fence } = stage.host.launches[0]!
    // The fence of another session's lease: the pool gives none twice.
    await stage.up('another', { account: 'b' })
    const late: LeaseGrant = {
      requestId: 'of old',
      place: { kind: 'account', name: 'b' },
      model: null,
      fence: fence + 1,
      why: 'late',
    }
    await stage.handle(session).signal(sessionSignals.leaseGranted, late)
    const stale: LeaseGrant = {
      requestId: 'of old',
      place: { kind: 'account', name: 'b' },
      model: null,
      fence: fence - 1,
      why: 'stale',
    }
    await stage.handle(session).signal(sessionSignals.leaseGranted, stale)
    await stage.theatre.pass(10 * minute)
    expect(stage.steps(session)).toEqual(['launchAgent a#1'])
    // It must not keep the session from taking the next, right one either.
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
  })

  it('law 10: where the host got no answer from the pool, the session asks for itself', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const now = await stage.theatre.now()
    const wall = stage.host.accounts.get('a')!.hitWall(now, now + hour)
    stage.host.sees(session, { kind: 'walled', wall, lease: null })
    await stage.untilOn(session, 'b')
    expect(await stage.leases()).toEqual({ a: [], b: [session] })
  })

  it('law 4: an answer that the session has no use for any more leaves no lease behind', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const launch = stage.host.holds('launchAgent')
    await stage.hitsWall(session, 'a')
    await launch.reached
    await stage.order(session, 'stop')
    launch.open()
    await stage.untilSession(session, ({ phase }) => phase === 'stopped')
    expect(await stage.leases()).toEqual({ a: [], b: [] })
    expect(stage.host.processes.size).toBe(0)
  })

  it('law 10: a late refusal of an old request parks nobody', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const retryAt = new Date((await stage.theatre.now()) + hour).toISOString()
    const late: LeaseRefusal = { requestId: 'of old', why: 'late', retryAt, needsLogin: false }
    await stage.handle(session).signal(sessionSignals.leaseRefused, late)
    await stage.theatre.pass(minute)
    expect((await stage.show(session)).phase).toBe('working')
    await stage.hitsWall(session, 'a')
    await stage.handle(session).signal(sessionSignals.leaseRefused, late)
    await stage.untilOn(session, 'b')
  })

  it('law 4: an account that nothing is known of is asked first, and takes one session at a time', async () => {
    const stage = await open({ accounts: ['a'] })
    const a = stage.host.accounts.get('a')!
    a.isRead = false
    a.isSilent = true
    const [one, two] = [await stage.start('one'), await stage.start('two')]
    const running = await stage.until(
      'one of them to try it',
      () => Promise.all([stage.show(one), stage.show(two)]),
      (both) => both.some(({ phase }) => phase === 'working') && both.some(({ phase }) => phase === 'parked'),
    )
    expect(stage.host.processes.size).toBe(1)
    const asked = stage.host.asked.map(({ step }) => step)
    expect(asked.indexOf('probeAccount')).toBeGreaterThanOrEqual(0)
    expect(asked.indexOf('probeAccount')).toBeLessThan(asked.indexOf('launchAgent'))
    // Its first reading proves the account, and the other may come.
    a.isRead = true
    a.isSilent = false
    const waiting = running[0].phase === 'parked' ? one : two
    await stage.untilOn(waiting, 'a', 12 * minute, 5_000)
    expect(stage.host.processes.size).toBe(2)
  })

  it('law 4: no account holds more sessions than it may, however many ask at once', async () => {
    const stage = await open({
      accounts: ['a', 'b'],
      specs: { a: { maxSessions: 2 }, b: { maxSessions: 1 } },
    })
    const names = await Promise.all(['1', '2', '3', '4', '5'].map((name) => stage.start(name)))
    await stage.until(
      'three to run and two to wait',
      () => Promise.all(names.map((name) => stage.show(name))),
      (all) =>
        all.filter(({ phase }) => phase === 'working').length === 3 &&
        all.filter(({ phase }) => phase === 'parked').length === 2,
    )
    const { a, b } = await stage.leases()
    expect([a?.length, b?.length]).toEqual([2, 1])
    const onB = b![0]!
    await stage.order(onB, 'stop')
    await stage.until(
      'the next one to take the place',
      () => stage.leases(),
      (leases) => leases['b']!.length === 1 && leases['b']![0] !== onB,
    )
  })

  it('law 7: what a terminated session held comes back by itself', async () => {
    const stage = await open({ accounts: ['a'], specs: { a: { maxSessions: 1 } } })
    const gone = await stage.up('gone')
    const next = await stage.start('next')
    await stage.untilSession(next, ({ phase }) => phase === 'parked')
    await stage.handle(gone).terminate('out of the way')
    await stage.untilOn(next, 'a', 2 * hour, minute)
    expect(await stage.leases()).toEqual({ a: [next] })
  })

  it('law 4: accounts that the configuration no longer names take nobody', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const [kept] = stage.settings.accounts.filter(({ name }) => name === 'b')
    await stage.poolHandle.signal('configure', { ...stage.settings, accounts: [kept!] })
    const session = await stage.up('one', { account: 'a' })
    expect((await stage.show(session)).account).toBe('b')
  })
})

describe('law 8: histories are cut, and nothing is lost by it', () => {
  it('law 8: a pool with leases, a queue and a parked session', async () => {
    const stage = await open({ accounts: ['a', 'b'], specs: { b: { maxSessions: 1 } } })
    const one = await stage.up('one', { account: 'a' })
    const two = await stage.up('two', { account: 'b' })
    await stage.hitsWall(one, 'a', hour)
    await stage.untilSession(one, ({ phase }) => phase === 'parked')
    const before = await stage.view()
    await migratePool(stage)
    const after = await stage.view()
    expect(after.accounts.map(({ name, leases }) => [name, leases])).toEqual([
      ['a', []],
      ['b', [two]],
    ])
    expect(after.waiting.map(({ session }) => session)).toEqual([one])
    expect(after.accounts.map(({ walls }) => walls)).toEqual(before.accounts.map(({ walls }) => walls))
    await stage.untilOn(one, 'a', 2 * hour, minute)
    // The fence goes on growing through the cut: an older one would launch nothing.
    const fences = stage.host.launches.map(({ fence }) => fence)
    expect([...fences].sort((a, b) => a - b)).toEqual(fences)
    expect(new Set(fences).size).toBe(fences.length)
  })

  it('law 8: a pool that is cut while sessions ask', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const names = await Promise.all(['1', '2', '3', '4'].map((name) => stage.start(name)))
    await stage.poolHandle.signal('migrate')
    for (const name of names) await stage.untilSession(name, ({ phase }) => phase === 'working')
    expect(stage.host.processes.size).toBe(4)
    expect(
      Object.values(await stage.leases())
        .flat()
        .sort(),
    ).toEqual([...names].sort())
  })
})

describe('law 8: history grows with events, not with time', () => {
  it('law 8: an undisturbed rescue asks the host for a launch and a watch, and costs far less than 60 events', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const before = await stage.historyLength(session)
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
    const events = ((await stage.handle(session).fetchHistory()).events ?? []).slice(before)
    const steps = events.flatMap(
      ({ activityTaskScheduledEventAttributes: step }) => step?.activityType?.name ?? [],
    )
    expect(steps).toEqual(['launchAgent', 'watchAgent'])
    expect(events.filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes)).toEqual(
      [],
    )
    // How many tasks the workflow takes for it depends on what arrives together.
    const isTask = (event: object): boolean =>
      Object.entries(event).some(([name, of]) => name.startsWith('workflowTask') && of != null)
    expect(events.length).toBeLessThanOrEqual(60)
    expect(events.filter((event) => !isTask(event)).length).toBeLessThanOrEqual(10)
  })

  it('law 8: a quiet session-day costs at most 50 events, of the session as of its pool', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    stage.host.lookEvery = hour
    const [before, poolBefore] = [
      await stage.historyLength(session),
      (await stage.poolHandle.describe()).historyLength,
    ]
    await stage.theatre.pass(day)
    expect((await stage.historyLength(session)) - before).toBeLessThanOrEqual(50)
    // One look an hour for sessions that are gone without a word, whatever the number of sessions.
    expect((await stage.poolHandle.describe()).historyLength - poolBefore).toBeLessThanOrEqual(24 * 11)
  })
})
