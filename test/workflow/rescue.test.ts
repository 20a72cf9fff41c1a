import { describe, expect, it } from 'vitest'
import { hour, minute, second } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'
import {
  CarryFailedError,
  ConversationHeldError,
  ConversationUnreachableError,
  LaunchFailedError,
  WorkFolderClosedError,
  WrongFolderError,
} from '../../activities/errors.js'
import { failureFrom } from '../../activities/failures.js'

const open = useTestPool()

describe('the wall', () => {
  it('law 4: a session starts on an account that is able, not simply on the first one', async () => {
    const testPool = await open({ accounts: ['full', 'free'] })
    const now = await testPool.server.now()
    testPool.host.accounts.get('full')!.hitWall(now, now + 3 * hour)
    const session = await testPool.startRunning('one')
    expect(await testPool.describe(session)).toMatchObject({ account: 'free', rescues: 0, rescueLog: [] })
    expect(await testPool.leases()).toEqual({ full: [], free: [session] })
  })

  it('law 3, law 5: a walled session is stopped, carried and resumed elsewhere, under a newer fence', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    await testPool.hitWall(session, 'a')
    const { rescueLog, rescues, sessionId } = await testPool.untilOnAccount(session, 'b')
    expect(testPool.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to b',
      'launchAgent b#2',
    ])
    expect(testPool.host.launches.map(({ mode }) => mode)).toEqual(['new', 'resume'])
    expect(new Set(testPool.host.launches.map((launch) => launch.sessionId))).toEqual(new Set([sessionId]))
    expect(testPool.host.launches[1]!.prompt!.text).toContain('The usage limit was reached')
    expect(rescues).toBe(1)
    expect(rescueLog).toHaveLength(1)
    expect(rescueLog[0]).toMatchObject({ n: 1, cause: 'wall', from: 'a', to: 'b' })
    expect(rescueLog[0]!.wall).toMatchObject({ kind: 'five_hour', scope: 'account' })
    expect(rescueLog[0]!.steps.map(({ name }) => name)).toEqual(['stop', 'carry', 'respawn'])
    expect(rescueLog[0]!.endedAt).not.toBeNull()
    expect(await testPool.leases()).toEqual({ a: [], b: [session] })
    // What the old process wrote is not read again: the watch begins where the new process began.
    expect(testPool.host.watches.at(-1)).toMatchObject({ place: { name: 'b' }, transcriptFrom: 0 })
  })

  it('law 4: one wall, reported by one session, keeps the others from being sent there', async () => {
    const testPool = await open({ accounts: ['a', 'b', 'c'] })
    const first = await testPool.startRunning('first', { account: 'a' })
    const second = await testPool.startRunning('second', { account: 'b' })
    await testPool.hitWall(first, 'a')
    await testPool.untilSession(first, ({ account, phase }) => account !== 'a' && phase === 'working')
    await testPool.hitWall(second, 'b')
    await testPool.untilOnAccount(second, 'c')
    expect((await testPool.describe(first)).rescues).toBe(1)
    expect((await testPool.describe(second)).rescues).toBe(1)
  })

  it('law 10: with every account walled it parks, stopped, and starts again without help after the reset', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const now = await testPool.server.now()
    const reset = now + 3 * hour
    testPool.host.accounts.get('b')!.hitWall(now, now + 4 * hour)
    await testPool.hitWall(session, 'a', 3 * hour)
    const parked = await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    expect(testPool.host.processes.size).toBe(0)
    expect(Date.parse(parked.parkedUntil!)).toBeGreaterThan(now)
    expect(Date.parse(parked.parkedUntil!)).toBeLessThanOrEqual(reset + minute)
    expect(parked.rescueLog.at(-1)).toMatchObject({ cause: 'wall', from: 'a', to: null })
    expect(parked.attention).toBeNull()
    expect(parked.why).toMatch(/^a walled until .*, b walled until /)
    expect(await testPool.leases()).toEqual({ a: [], b: [] })

    await testPool.server.advance(reset - minute - (await testPool.server.now()))
    expect((await testPool.describe(session)).phase).toBe('parked')
    const up = await testPool.untilOnAccount(session, 'a', 4 * minute, 5 * second)
    expect(await testPool.server.now()).toBeGreaterThanOrEqual(reset)
    expect(up.rescueLog.at(-1)).toMatchObject({ cause: 'wake', to: 'a' })
    expect(up).toMatchObject({ rescues: 1, parkedUntil: null, walledUntil: null })
    expect(testPool.host.launches).toHaveLength(2)
  })

  it('law 4: near the limit it moves to an account with clearly more room', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.accounts.get('a')!.used = 0.96
    testPool.host.willObserve(session, { kind: 'near-limit', why: 'a at 96 %', wall: null })
    const { rescueLog, rescues } = await testPool.untilOnAccount(session, 'b')
    expect(rescueLog).toMatchObject([{ cause: 'near-limit', from: 'a', to: 'b', wall: null }])
    expect(rescues).toBe(0)
  })

  it('law 6: near the limit it keeps running if no place is better, and does not ask again at once', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const { pid } = await testPool.describe(session)
    testPool.host.accounts.get('a')!.used = 0.96
    testPool.host.accounts.get('b')!.used = 0.93
    await testPool.observe(session, { kind: 'near-limit', why: 'a at 96 %', wall: null })
    await testPool.until(
      'a new watch',
      () => Promise.resolve(testPool.host.watches.length),
      (watches) => watches === 2,
    )
    expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
    expect(await testPool.describe(session)).toMatchObject({
      pid,
      phase: 'working',
      account: 'a',
      rescueLog: [],
    })
    expect(Date.parse(testPool.host.watches[1]!.stayUntil!)).toBeGreaterThan(await testPool.server.now())
    expect(await testPool.leases()).toEqual({ a: [session], b: [] })
  })

  it('law 6: a lost login moves the session, and the account takes none until a login is seen', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.accounts.get('a')!.login = 'out'
    testPool.host.willObserve(session, { kind: 'login', text: 'Please run /login' })
    const { rescueLog, rescues, attention } = await testPool.untilOnAccount(session, 'b')
    expect(rescueLog).toMatchObject([{ cause: 'login', from: 'a', to: 'b' }])
    expect({ rescues, attention }).toEqual({ rescues: 0, attention: null })
    const a = (await testPool.describePool()).accounts.find(({ name }) => name === 'a')
    expect(a?.login).toBe('out')
    const other = await testPool.startRunning('two', { account: 'a' })
    expect(await testPool.describe(other)).toMatchObject({ account: 'b' })
  })

  it('law 10: if no account can take it a person is notified, and a login ends the wait without further help', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.accounts.get('a')!.login = 'out'
    testPool.host.willObserve(session, { kind: 'login', text: 'Please run /login' })
    const waiting = await testPool.untilSession(session, ({ attention }) => attention !== null)
    expect(waiting.attention).toMatch(/logged out/)
    expect(waiting.phase).toBe('waiting')
    // The person may log in in this very pane: nothing is restarted for a login.
    expect(testPool.host.processes.size).toBe(1)
    testPool.host.accounts.get('a')!.login = 'in'
    const up = await testPool.untilOnAccount(session, 'a', 40 * minute, 30 * second)
    expect(up.attention).toBeNull()
  })

  it('law 5: if the start fails on one account it is undone, and the next account gets the whole session', async () => {
    const testPool = await open({ accounts: ['a', 'b', 'c'] })
    const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    testPool.host.accounts.get('c')!.used = 0.5
    testPool.host.failNext(
      'launchAgent',
      failureFrom(new LaunchFailedError('it ended at its start')),
      (name) => name === 'b',
    )
    await testPool.hitWall(session, 'a')
    const { rescueLog, rescues } = await testPool.untilOnAccount(session, 'c')
    expect(testPool.steps(session)).toEqual([
      'launchAgent a#1',
      'stopAgent a#1',
      'carry to b',
      'launchAgent b#2',
      'stopAgent b#2',
      'carry to c',
      'launchAgent c#3',
    ])
    expect(rescueLog).toHaveLength(1)
    expect(rescueLog[0]!.steps).toContainEqual(
      expect.objectContaining({ name: 'on b', fault: 'it ended at its start' }),
    )
    expect(rescues).toBe(1)
    const b = (await testPool.describePool()).accounts.find(({ name }) => name === 'b')
    expect(Date.parse(b!.restUntil!)).toBeGreaterThan(await testPool.server.now())
    expect(await testPool.leases()).toEqual({ a: [], b: [], c: [session] })
  })

  it('law 5: if the conversation cannot be carried whole nothing is started, and the next account gets it; no account is blamed', async () => {
    const testPool = await open({ accounts: ['a', 'b', 'c'] })
    const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    testPool.host.accounts.get('c')!.used = 0.5
    testPool.host.failNext('carry', failureFrom(new CarryFailedError('no room on b')), (name) => name === 'b')
    await testPool.hitWall(session, 'a')
    const { rescueLog } = await testPool.untilOnAccount(session, 'c')
    expect(testPool.host.launches.map(({ place }) => place.name)).toEqual(['a', 'c'])
    const fault = expect.objectContaining({ name: 'on b', fault: 'no room on b' }) as unknown
    expect(rescueLog[0]!.steps).toContainEqual(fault)
    const b = (await testPool.describePool()).accounts.find(({ name }) => name === 'b')
    expect(b!.restUntil).toBeNull()
  })

  it('law 10: after a failed carry the account is tried again, and no fallback is used until it is walled', async () => {
    const testPool = await open({ accounts: ['a', 'b'], substrates: ['key'] })
    const one = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    const two = await testPool.startRunning('two', { account: 'b', prompt: 'begin' })
    const failure = failureFrom(new CarryFailedError('no room on b'))
    for (let times = 0; times < 3; times++) testPool.host.failNext('carry', failure, (name) => name === 'b')
    await testPool.hitWall(one, 'a')
    const waiting = await testPool.untilSession(one, ({ attention }) => attention !== null)
    expect(waiting).toMatchObject({
      phase: 'parked',
      attention: 'the agent did not start on b: no room on b',
    })
    const carries = (): number => testPool.steps(one).filter((step) => step === 'carry to b').length
    await testPool.until(
      'another try',
      () => Promise.resolve(carries()),
      (tries) => tries >= 2,
      30 * minute,
    )
    expect(testPool.host.launches.map(({ place }) => place.name)).toEqual(['a', 'b'])
    await testPool.hitWall(two, 'b')
    await testPool.untilOnSubstrate(one, 'key', 30 * minute, 5 * second)
  })

  it('law 3: a conversation held by a foreign process waits, says so, and is resumed when it is free', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const held = failureFrom(new ConversationHeldError('x', 4711))
    testPool.host.failNext('launchAgent', held)
    testPool.host.failNext('launchAgent', held)
    const session = await testPool.start('one', { account: 'a' })
    const waiting = await testPool.untilSession(session, ({ attention }) => attention !== null)
    expect(waiting).toMatchObject({ phase: 'parked' })
    expect(waiting.attention).toContain('4711')
    expect(testPool.host.processes.size).toBe(0)
    // No account of the pool is to blame: none rests for it.
    expect((await testPool.describePool()).accounts.map(({ restUntil }) => restUntil)).toEqual([null, null])
    const up = await testPool.untilSession(
      session,
      ({ phase }) => phase === 'working',
      10 * minute,
      5 * second,
    )
    expect(up.attention).toBeNull()
    expect(testPool.host.calls.filter(({ step }) => step === 'launchAgent')).toHaveLength(3)
  })

  const ownFaults = [
    failureFrom(new ConversationUnreachableError('x', 'it was last written at /gone')),
    failureFrom(new ConversationHeldError('x', 4711)),
    failureFrom(new WorkFolderClosedError('/closed')),
    failureFrom(new WrongFolderError('/home', '/closed')),
  ]
  it.each(ownFaults)(
    'law 5: a problem with its own transcript or folder is no reason to pay: $message',
    async (fault) => {
      const testPool = await open({ accounts: ['a', 'b'], substrates: ['key'] })
      const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
      for (let times = 0; times < 3; times++) testPool.host.failNext('launchAgent', fault)
      await testPool.hitWall(session, 'a')
      const waiting = await testPool.untilSession(session, ({ attention }) => attention !== null)
      expect(waiting).toMatchObject({ phase: 'parked', attention: fault.message })
      await testPool.untilOnAccount(session, 'b', 30 * minute, 5 * second)
      const tried = testPool.host.calls.filter(
        ({ step, account }) => step === 'launchAgent' && account !== 'a',
      )
      expect(tried.map(({ account }) => account)).toEqual(['b', 'b', 'b', 'b'])
      const rests = (await testPool.describePool()).accounts.map(({ restUntil }) => restUntil)
      expect(rests).toEqual(rests.map(() => null))
    },
  )
})
