/** Law 14: what happens to a session, a task or an incident is an event, once, whatever is repeated. */
import { ApplicationFailure } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import type { EventDraft } from '../../activities/contracts.js'
import { hour, minute, second, type TestPool } from './harness/testPool.js'
import { startLoop } from './harness/testWatchdog.js'
import { useTestPool } from './harness/useTestPool.js'

const open = useTestPool()

const eventsOf = ({ host }: TestPool, session: string): EventDraft[] =>
  [...host.events.values()].filter((event) => 'session' in event && event.session === session)

/** The events so far, once the last of them has come. */
async function untilKinds(testPool: TestPool, session: string, wanted: string[]): Promise<EventDraft[]> {
  const kinds = (): string[] => eventsOf(testPool, session).map(({ kind }) => kind)
  await testPool
    .until(
      'the events',
      () => Promise.resolve(kinds()),
      (now) => now.length >= wanted.length,
    )
    .catch(() => undefined)
  expect(kinds()).toEqual(wanted)
  return eventsOf(testPool, session)
}

describe('law 14: a session', () => {
  it('law 14: its pause and its stop, even if it never had a process', async () => {
    const testPool = await open({ accounts: ['a'] })
    await testPool.startRunning('other', { account: 'a' })
    const now = await testPool.server.now()
    testPool.host.accounts.get('a')!.hitWall(now, now + hour)
    await testPool.hitWall('other', 'a')
    const session = await testPool.start('one')
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    await testPool.signal(session, 'pause')
    await testPool.untilSession(session, ({ phase }) => phase === 'paused')
    await untilKinds(testPool, session, ['session-parked', 'session-paused'])
    await testPool.signal(session, 'stop')
    await untilKinds(testPool, session, ['session-parked', 'session-paused', 'session-stopped'])
    expect(testPool.host.launches.map(({ session: launched }) => launched)).not.toContain(session)
  })

  it('law 14: walled and moved, with what its rescue log says', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.hitWall(session, 'a')
    const { rescueLog } = await testPool.untilOnAccount(session, 'b')
    const [started, walled, moved] = await untilKinds(testPool, session, [
      'session-started',
      'session-walled',
      'session-moved',
    ])
    const [{ n, cause, from, to, wall, steps }] = rescueLog as [(typeof rescueLog)[0]]
    expect(started).toMatchObject({ place: 'a' })
    expect(walled).toMatchObject({ account: 'a', wall: 'five_hour', evidence: 'transcript' })
    expect(moved).toMatchObject({ n, cause, from, to, steps, conversation: 'same' })
    expect(moved).toMatchObject({ wall: { kind: wall!.kind, scope: wall!.scope, resetsAt: wall!.resetsAt } })
    expect(JSON.stringify(moved)).not.toContain(wall!.evidence)
  })

  it('law 14: a rescue by hand is recorded with the wall that the pool knows, and as ordered by a person', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const now = await testPool.server.now()
    const wall = testPool.host.accounts.get('a')!.hitWall(now, now + hour)
    await testPool.move(session, { cause: 'wall', wall, byPerson: true })
    const { rescueLog, rescues } = await testPool.untilOnAccount(session, 'b')
    const { kind, scope, resetsAt, evidence } = wall
    expect(rescueLog).toMatchObject([
      { n: 1, cause: 'wall', byPerson: true, from: 'a', to: 'b', wall: { kind, scope, resetsAt, evidence } },
    ])
    expect(rescues).toBe(1)
    const [, moved] = await untilKinds(testPool, session, ['session-started', 'session-moved'])
    expect(moved).toMatchObject({
      ...{ n: 1, cause: 'wall', byPerson: true, from: 'a', to: 'b' },
      wall: { kind, scope, resetsAt, evidence: 'pool' },
    })
  })

  it('law 14: parked and woken', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    await testPool.hitWall(session, 'a', hour)
    const { parkedUntil } = await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    const start = ['session-started', 'session-walled', 'session-parked']
    const [, , parked] = await untilKinds(testPool, session, start)
    expect(parked).toMatchObject({
      from: 'a',
      cause: 'wall',
      wall: { kind: 'five_hour' },
      until: parkedUntil,
    })
    await testPool.untilOnAccount(session, 'a', 2 * hour, minute)
    const all = await untilKinds(testPool, session, [...start, 'session-moved', 'session-woken'])
    expect(all.at(-2)).toMatchObject({ cause: 'wake', to: 'a', wall: null })
    const { parkedMs } = all.at(-1) as Extract<EventDraft, { kind: 'session-woken' }>
    expect(parkedMs).toBeGreaterThan(50 * minute)
    expect(parkedMs).toBeLessThan(70 * minute)
  })

  it('law 14: asked, answered, hung, crashed, logged out, paused and stopped', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const kinds = ['session-started']
    const come = (...more: string[]) => untilKinds(testPool, session, (kinds.push(...more), kinds))
    await testPool.observe(session, { kind: 'waiting', what: 'a secret question' })
    await testPool.untilSession(session, ({ phase }) => phase === 'waiting')
    await come('session-waiting')
    await testPool.observe(session, { kind: 'not-waiting' })
    await come('session-attended')
    await testPool.observe(session, { kind: 'frozen', how: 'hung-request' })
    expect((await come('session-hung')).at(-1)).toMatchObject({ remedy: 'interrupt' })
    await testPool.observe(session, { kind: 'frozen', how: 'hung-request' })
    await come('session-hung', 'session-crashed', 'session-moved')
    await testPool.observe(session, { kind: 'exited', how: 'signal 11', byPerson: false })
    expect((await come('session-crashed', 'session-moved')).at(-1)).toMatchObject({ cause: 'crash' })
    await testPool.observe(session, { kind: 'login', text: 'no login', wasWorking: false })
    await come('session-logged-out', 'session-moved')
    await testPool.signal(session, 'pause')
    await testPool.untilSession(session, ({ phase }) => phase === 'paused')
    await come('session-paused')
    await testPool.signal(session, 'resume')
    await come('session-moved')
    await testPool.signal(session, 'stop')
    await come('session-stopped')
    const said = eventsOf(testPool, session)
    expect(JSON.stringify(said)).not.toContain('secret')
    expect(said.map(({ id }) => id.split('/').at(-1))).toEqual(said.map((_, index) => String(index + 1)))
  })

  it('law 14: on a fallback and back', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.hitWall(session, 'a', hour)
    await testPool.untilOnSubstrate(session, 'key')
    const start = ['session-started', 'session-walled', 'session-moved', 'session-on-fallback']
    expect((await untilKinds(testPool, session, start)).at(-2)).toMatchObject({ conversation: 'fork' })
    testPool.host.pollEvery = 5 * minute
    await testPool.until(
      'the order to fail back',
      () => Promise.resolve(testPool.host.failingBack.has(session)),
      (called) => called,
      ...[2 * hour, 10 * minute],
    )
    testPool.host.willObserve(session, { kind: 'ready-for-failback', wasWorking: false })
    await testPool.untilOnAccount(session, 'a', hour, minute)
    const all = await untilKinds(testPool, session, [...start, 'session-moved', 'session-off-fallback'])
    expect(all.at(-2)).toMatchObject({ cause: 'home', conversation: 'same' })
  })

  it('law 14: a step that fails, and one that is repeated, lose nothing and add nothing', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.failNext('launchAgent', ApplicationFailure.retryable('the worker was killed'))
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    await testPool.signal(session, 'migrate')
    await testPool.server.advance(30 * second)
    await untilKinds(testPool, session, ['session-started', 'session-walled', 'session-moved'])
  })
})

describe('law 14: a task', () => {
  it('law 14: that ran, and one that failed', async () => {
    const testPool = await open({ accounts: ['a'] })
    const { runs } = testPool.host.services
    runs.push({ ok: true, error: null, summary: 'done', file: null })
    await (await startLoop(testPool, 'well')).result()
    runs.push({ ok: false, error: 'exit 3', summary: 'exit 3', file: null })
    await (await startLoop(testPool, 'broken')).result().catch(() => undefined)
    const said = [...testPool.host.events.values()].filter((event) => 'task' in event)
    expect(said).toMatchObject([
      { kind: 'task-run', task: `${testPool.name}-well`, summary: 'done' },
      { kind: 'task-failed', task: `${testPool.name}-broken`, error: 'exit 3', failures: 1 },
    ])
  })
})
