import { ApplicationFailure } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import { hour, minute, second, type TestPool } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'
import { DraftUnreadableError } from '../../activities/errors.js'
import { failureFrom } from '../../activities/failures.js'
import { UnknownPlaceError } from '../../host/errors.js'

const open = useTestPool()

const crash = (testPool: TestPool, session: string): void =>
  testPool.host.willObserve(session, { kind: 'exited', how: 'signal 11', byPerson: false })

const launches = (testPool: TestPool) => testPool.host.calls.filter(({ step }) => step === 'launchAgent')

describe('law 6: each failure has its own answer', () => {
  it('law 6: a crash is resumed on the same account, first at once, then with growing pauses', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'b' })
    const crashedAt: number[] = []
    for (let n = 1; n <= 4; n++) {
      crashedAt.push(await testPool.server.now())
      crash(testPool, session)
      await testPool.until(
        `launch ${n + 1}`,
        () => Promise.resolve(launches(testPool).length),
        (count) => count === n + 1,
      )
      await testPool.untilOnAccount(session, 'b')
    }
    const all = launches(testPool)
    expect(new Set(all.map(({ account }) => account))).toEqual(new Set(['b']))
    // The watch checks every five seconds, and the first pause may take no longer than that.
    const pauses = crashedAt.map((at, index) => all[index + 1]!.at - at)
    expect(pauses[0]).toBeLessThanOrEqual(6 * second)
    expect(pauses[2]! - pauses[0]!).toBeGreaterThanOrEqual(3 * second)
    expect(pauses[3]).toBeGreaterThanOrEqual(16 * second)
    const { rescueLog, rescues, attention } = await testPool.describe(session)
    expect(rescueLog.map(({ cause, from, to }) => [cause, from, to])).toEqual(
      Array.from({ length: 4 }, () => ['crash', 'b', 'b']),
    )
    expect({ rescues, attention }).toEqual({ rescues: 0, attention: null })
    expect(testPool.steps(session).some((step) => step.startsWith('carry'))).toBe(false)
  })

  it('law 6, law 10: an agent that keeps crashing rests, a person is notified, and it is tried again', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    for (let n = 1; n <= 6; n++) {
      if (n > 1) await testPool.untilOnAccount(session, 'a')
      crash(testPool, session)
      await testPool.until(
        'the crash to be seen',
        () => Promise.resolve(testPool.host.hasObservedAll(session)),
        (seen) => seen,
      )
    }
    const resting = await testPool.untilSession(session, ({ attention }) => attention !== null)
    expect(resting.attention).toMatch(/crashed 6 times/)
    expect(Date.parse(resting.parkedUntil!) - (await testPool.server.now())).toBeGreaterThan(2 * minute)
    const up = await testPool.untilOnAccount(session, 'a', 10 * minute, 5 * second)
    expect(up).toMatchObject({ attention: null, parkedUntil: null })
  })

  it('law 7: a pane or tmux server that vanished is created again, once', async () => {
    const testPool = await open({ accounts: ['a'] })
    const sessions = [await testPool.startRunning('one'), await testPool.startRunning('two')]
    for (const session of sessions) testPool.host.willObserve(session, { kind: 'gone', what: 'tmux' })
    for (const session of sessions)
      await testPool.untilSession(
        session,
        ({ rescueLog, phase }) => rescueLog.length > 0 && phase === 'working',
      )
    expect(launches(testPool)).toHaveLength(4)
    expect(testPool.host.processes.size).toBe(2)
  })

  it('law 6: a request that hangs is broken off first, in the same process; an agent is replaced only if it hangs again', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    const hangs = () => testPool.observe(session, { kind: 'frozen', how: 'hung-request' })
    const interrupts = () => testPool.host.calls.filter(({ step }) => step === 'interruptAgent').length
    await hangs()
    await testPool.until(
      'the text',
      () => Promise.resolve(testPool.host.delivered.get(session) ?? []),
      (texts) => texts.some((text) => text.startsWith('Your last request got no answer')),
    )
    expect([interrupts(), launches(testPool).length]).toEqual([1, 1])
    await hangs()
    await testPool.untilSession(
      session,
      ({ rescueLog, phase }) => rescueLog.length > 0 && phase === 'working',
    )
    expect([interrupts(), launches(testPool).length]).toEqual([1, 2])
    // It has worked for a while: the mildest measure comes first again.
    await testPool.server.advance(hour)
    await hangs()
    await testPool.until(
      'another',
      () => Promise.resolve(interrupts()),
      (count) => count === 2,
    )
    expect(launches(testPool)).toHaveLength(2)
  })

  it('law 6: an agent that spins accepts no key, and is replaced on its account', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'b' })
    testPool.host.willObserve(session, { kind: 'frozen', how: 'spinning' })
    const { rescueLog, account } = await testPool.untilSession(
      session,
      (now) => now.rescueLog.length > 0 && now.phase === 'working',
    )
    expect({ account, rescueLog }).toMatchObject({ account: 'b', rescueLog: [{ cause: 'crash', to: 'b' }] })
    expect(launches(testPool)).toHaveLength(2)
    expect(testPool.host.launches[1]!.prompt?.text).toContain('Continue the task')
  })

  it('law 3: a frozen agent is stopped even if no account can take its session: a parked session has no process', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    const now = await testPool.server.now()
    testPool.host.accounts.get('a')!.hitWall(now, now + 60 * minute)
    testPool.host.willObserve(session, { kind: 'frozen', how: 'spinning' })
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    expect(testPool.host.processes.size).toBe(0)
  })

  it("law 10: an error of tmux is not the account's failure: none rests for it", async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const refuses = (): Error =>
      ApplicationFailure.create({ type: 'TmuxFailed', message: 'tmux: no answer', nonRetryable: true })
    testPool.host.failNext('launchAgent', refuses())
    const session = await testPool.start('one')
    const parked = await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    expect(parked.attention).toContain('tmux')
    expect((await testPool.describePool()).accounts.map(({ restUntil }) => restUntil)).toEqual([null, null])
    await testPool.untilSession(session, ({ phase }) => phase === 'working', 10 * minute)
  })

  it('law 6: a session that its host cannot watch says so, until it is watched again', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    for (let tries = 0; tries < 3; tries++)
      testPool.host.failNext('watchAgent', failureFrom(new UnknownPlaceError('a')))
    const { attention, phase } = await testPool.untilSession(session, (now) => now.attention !== null)
    expect(phase).toBe('working')
    expect(attention).toMatch(/^the session is not watched: .* names no account or substrate a: /)
    await testPool.untilSession(session, (now) => now.attention === null, 10 * minute)
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
  })

  for (const [kind, text] of [
    ['context', 'Prompt is too long'],
    ['config', 'model not found'],
  ] as const)
    it(`law 6: ${kind} waits for a person, is not restarted, and ends with the next turn`, async () => {
      const testPool = await open({ accounts: ['a', 'b'] })
      const session = await testPool.startRunning('one', { account: 'a' })
      const { pid } = await testPool.describe(session)
      await testPool.observe(session, { kind, text })
      const waiting = await testPool.untilSession(session, ({ phase }) => phase === 'waiting')
      expect(waiting.attention).not.toBeNull()
      expect(waiting).toMatchObject({ pid, account: 'a' })
      await testPool.until(
        'the next watch',
        () => Promise.resolve(testPool.host.watches.at(-1)?.waiting ?? null),
        (known) => known?.what === text && known.endsWith === 'turn',
      )
      await testPool.observe(session, { kind: 'not-waiting' })
      expect(await testPool.untilSession(session, ({ phase }) => phase === 'working')).toMatchObject({
        attention: null,
        pid,
      })
      expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
    })

  it('law 6: a dialog waits, and shows what it asks', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    await testPool.observe(session, { kind: 'waiting', what: 'permission to run make' })
    const { attention } = await testPool.untilSession(session, ({ phase }) => phase === 'waiting')
    expect(attention).toContain('permission to run make')
    expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
  })

  it('law 10: a turn that failed for a transient reason is continued later, without help and without a restart', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const before = await testPool.server.now()
    await testPool.observe(session, { kind: 'transient', text: 'Overloaded' })
    await testPool.until(
      'the text that has it go on',
      () => Promise.resolve(testPool.host.delivered.get(session) ?? []),
      (texts) => texts.length === 1,
    )
    expect(testPool.host.delivered.get(session)![0]).toContain('Continue the task')
    expect((await testPool.server.now()) - before).toBeGreaterThanOrEqual(40 * second)
    expect(testPool.steps(session)).toEqual(['launchAgent a#1'])
    expect(await testPool.describe(session)).toMatchObject({ attention: null, account: 'a', rescueLog: [] })
  })

  it('law 10: turns that keep failing notify a person, who is not needed for the next try', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    for (let n = 1; n <= 5; n++) {
      await testPool.observe(session, { kind: 'transient', text: 'Overloaded' })
      await testPool.until(
        `try ${n}`,
        () => Promise.resolve((testPool.host.delivered.get(session) ?? []).length),
        (tries) => tries === n,
        40 * minute,
        10 * second,
      )
    }
    expect((await testPool.describe(session)).attention).toMatch(/outpool attach .*keep failing: Overloaded/)
    await testPool.observe(session, { kind: 'answered' })
    await testPool.untilSession(session, ({ attention }) => attention === null)
    expect(testPool.host.watches.find(({ failing }) => failing)).toBeDefined()
    expect(testPool.host.watches.at(-1)!.failing).toBeUndefined()
  })

  it('law 13: after a turn that a hook has stopped it rests and tells the agent nothing; the reason is shown until the next answer', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.observe(session, { kind: 'turn-stopped', text: 'a hook stopped its turn: "no"' })
    const stopped = await testPool.untilSession(session, ({ phase }) => phase === 'idle')
    expect(stopped.attention).toBe(
      `a hook stopped its turn: "no"; tell it how to go on, for instance with outpool send ${session}`,
    )
    await testPool.server.advance(hour)
    expect(testPool.host.delivered.get(session) ?? []).toEqual([])
    expect([...testPool.host.events.values()].map(({ kind }) => kind)).toContain('session-turn-stopped')
    await testPool.observe(session, { kind: 'answered' })
    await testPool.untilSession(session, ({ attention }) => attention === null)
    expect(testPool.host.watches.at(-1)!.failing).toBeUndefined()
  })

  it('law 13: a session for one piece of work ends unfinished if a hook stops its turn', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one', { once: true })
    testPool.host.willObserve(session, { kind: 'turn-stopped', text: 'a hook stopped its turn' })
    const result: unknown = await testPool.handle(session).result()
    expect(result).toMatchObject({ phase: 'stopped', workDone: false })
  })

  describe('a draft that cannot be read whole', () => {
    const unreadable = failureFrom(new DraftUnreadableError('one'))

    it('law 5: lets a planned move wait, which says so and is tried again', async () => {
      const testPool = await open({ accounts: ['a', 'b'] })
      const session = await testPool.startRunning('one', { account: 'a' })
      testPool.host.accounts.get('a')!.used = 0.97
      testPool.host.failNext('stopAgent', unreadable)
      await testPool.observe(session, { kind: 'near-limit', why: 'a at 97%', wall: null })
      const stays = await testPool.untilSession(session, ({ attention }) => attention !== null)
      expect(stays).toMatchObject({ account: 'a', phase: 'working', rescueLog: [] })
      expect(stays.attention).toContain('a draft that outpool cannot read whole')
      expect(testPool.host.processes.size).toBe(1)
      await testPool.observe(session, { kind: 'near-limit', why: 'a at 97%', wall: null })
      const moved = await testPool.untilOnAccount(session, 'b')
      expect(moved.attention).toBeNull()
      expect(testPool.steps(session)).toEqual([
        'launchAgent a#1',
        'stopAgent a#1',
        'stopAgent a#1',
        'launchAgent b#2',
      ])
    })

    it('law 5, law 10: keeps the agent alive at a wall, with attention, until it can be read', async () => {
      const testPool = await open({ accounts: ['a', 'b'] })
      const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
      testPool.host.failNext('stopAgent', unreadable)
      await testPool.hitWall(session, 'a')
      const held = await testPool.untilSession(session, ({ attention }) => attention !== null)
      expect(held).toMatchObject({ phase: 'parked', parkedUntil: expect.any(String) as string })
      expect(testPool.host.processes.size).toBe(1)
      const moved = await testPool.untilOnAccount(session, 'b', 10 * minute, second)
      expect(moved).toMatchObject({ attention: null, rescues: 1 })
      expect(testPool.host.violations).toEqual([])
    })

    it('law 5: keeps the agent alive if every account is walled', async () => {
      const testPool = await open({ accounts: ['a'] })
      const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
      testPool.host.failNext('stopAgent', unreadable)
      await testPool.hitWall(session, 'a', hour)
      const held = await testPool.untilSession(session, ({ phase }) => phase === 'parked')
      expect(held.attention).toContain('a draft that outpool cannot read whole')
      expect(testPool.host.processes.size).toBe(1)
      const awake = await testPool.untilOnAccount(session, 'a', 2 * hour, minute)
      expect(awake.attention).toBeNull()
      expect(testPool.host.processes.size).toBe(1)
    })
  })

  it('law 6: a person who quits the agent has stopped the session', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    testPool.host.willObserve(session, { kind: 'exited', how: 'code 0', byPerson: true })
    const result: unknown = await testPool.handle(session).result()
    expect(result).toMatchObject({ phase: 'stopped', rescueLog: [] })
    expect(await testPool.leases()).toEqual({ a: [] })
    expect(launches(testPool)).toHaveLength(1)
  })

  it('law 6: a new conversation has room in its context: the session no longer waits for a person', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    await testPool.observe(session, { kind: 'context', text: 'Prompt is too long' })
    await testPool.untilSession(session, ({ phase }) => phase === 'waiting')
    await testPool.observe(session, {
      kind: 'renamed',
      sessionId: 'new',
      transcript: null,
      transcriptFrom: 0,
    })
    await testPool.untilSession(session, ({ phase, attention }) => phase === 'idle' && attention === null)
  })

  it('a transcript that appears only after the launch is shown with its path, from the first observation on', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    const transcript = '/elsewhere/one.jsonl'
    await testPool.observe(session, { kind: 'transient', text: 'overloaded', transcript })
    await testPool.untilSession(session, (details) => details.transcript === transcript)
  })

  it('law 5: a new conversation in the same pane is the session from then on', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.observe(session, {
      kind: 'renamed',
      sessionId: 'another',
      transcript: null,
      transcriptFrom: 0,
    })
    await testPool.untilSession(session, ({ sessionId }) => sessionId === 'another')
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    expect(testPool.host.launches.at(-1)).toMatchObject({ sessionId: 'another', mode: 'resume' })
  })
})

describe('an agent program that lacks what a feature needs', () => {
  const noMoves = [{ feature: 'moves' as const, missed: ['resume-after-copy'] }]

  it('law 5, law 10: a session that can not be moved stays near the limit, waits for its account at a wall, and says why', async () => {
    const testPool = await open({ accounts: ['a', 'b'], substrates: ['key'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    // Rehearsed after the launch, as in the background.
    testPool.host.off = noMoves
    await testPool.observe(session, { kind: 'near-limit', why: 'a at 97 %', wall: null })
    await testPool.server.advance(5 * second)
    await testPool.hitWall(session, 'a', hour)
    const parked = await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    expect(parked.attention).toMatch(/^it waits for a, .*\(resume-after-copy; see outpool rehearse\)/)
    // Only a person's own choice of account outlives the session.
    expect(parked.pinnedTo).toBeNull()
    const awake = await testPool.untilOnAccount(session, 'a', 2 * hour, 30 * second)
    expect(awake.attention).toBeNull()
    expect(testPool.steps(session)).toEqual(['launchAgent a#1', 'stopAgent a#1', 'launchAgent a#2'])
  })

  it('goes where a person moves it all the same, and anywhere once another version is installed', async () => {
    const testPool = await open({ accounts: ['a', 'b', 'c'] })
    testPool.host.off = noMoves
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.hitWall(session, 'a')
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    testPool.host.off = []
    await testPool.move(session, { to: 'b' })
    await testPool.untilOnAccount(session, 'b')
    await testPool.hitWall(session, 'b')
    await testPool.untilOnAccount(session, 'c')
  })

  it('law 10: without forks it waits for an account, and no fallback is begun', async () => {
    const testPool = await open({ accounts: ['a'], substrates: ['key'] })
    testPool.host.off = [{ feature: 'fallbacks', missed: ['fork'] }]
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.hitWall(session, 'a', hour)
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    await testPool.untilOnAccount(session, 'a', 2 * hour, 30 * second)
    expect(testPool.host.launches.map(({ place }) => place.name)).toEqual(['a', 'a'])
  })
})
