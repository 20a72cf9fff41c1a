import { ApplicationFailure } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import { hour, minute, second, type Stage } from './harness/stage.js'
import { useStage } from './harness/useStage.js'
import { failureFrom } from '../../activities/failures.js'
import { UnknownPlaceError } from '../../host/errors.js'

const open = useStage()

const crash = (stage: Stage, session: string): void =>
  stage.host.sees(session, { kind: 'exited', how: 'signal 11', byPerson: false })

const launches = (stage: Stage) => stage.host.asked.filter(({ step }) => step === 'launchAgent')

describe('law 6: each trouble has its own answer', () => {
  it('law 6: a crash is resumed on the same account, first at once, then with growing pauses', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'b' })
    const crashedAt: number[] = []
    for (let n = 1; n <= 4; n++) {
      crashedAt.push(await stage.theatre.now())
      crash(stage, session)
      await stage.until(
        `launch ${n + 1}`,
        () => Promise.resolve(launches(stage).length),
        (count) => count === n + 1,
      )
      await stage.untilOn(session, 'b')
    }
    const all = launches(stage)
    expect(new Set(all.map(({ account }) => account))).toEqual(new Set(['b']))
    // The watch looks every five seconds, and that is all the first pause may be.
    const pauses = crashedAt.map((at, index) => all[index + 1]!.at - at)
    expect(pauses[0]).toBeLessThanOrEqual(6 * second)
    expect(pauses[2]! - pauses[0]!).toBeGreaterThanOrEqual(3 * second)
    expect(pauses[3]).toBeGreaterThanOrEqual(16 * second)
    const { rescueLog, rescues, attention } = await stage.show(session)
    expect(rescueLog.map(({ cause, from, to }) => [cause, from, to])).toEqual(
      Array.from({ length: 4 }, () => ['crash', 'b', 'b']),
    )
    expect({ rescues, attention }).toEqual({ rescues: 0, attention: null })
    expect(stage.steps(session).some((step) => step.startsWith('carry'))).toBe(false)
  })

  it('law 6, law 10: an agent that keeps crashing rests, a person is told, and it is tried again', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    for (let n = 1; n <= 6; n++) {
      if (n > 1) await stage.untilOn(session, 'a')
      crash(stage, session)
      await stage.until(
        'the crash to be seen',
        () => Promise.resolve(stage.host.hasSeenAll(session)),
        (seen) => seen,
      )
    }
    const resting = await stage.untilSession(session, ({ attention }) => attention !== null)
    expect(resting.attention).toMatch(/crashed 6 times/)
    expect(Date.parse(resting.parkedUntil!) - (await stage.theatre.now())).toBeGreaterThan(2 * minute)
    const up = await stage.untilOn(session, 'a', 10 * minute, 5 * second)
    expect(up).toMatchObject({ attention: null, parkedUntil: null })
  })

  it('law 7: a pane or tmux server that vanished is made anew, once', async () => {
    const stage = await open({ accounts: ['a'] })
    const sessions = [await stage.up('one'), await stage.up('two')]
    for (const session of sessions) stage.host.sees(session, { kind: 'gone', what: 'tmux' })
    for (const session of sessions)
      await stage.untilSession(session, ({ rescueLog, phase }) => rescueLog.length > 0 && phase === 'working')
    expect(launches(stage)).toHaveLength(4)
    expect(stage.host.processes.size).toBe(2)
  })

  it('law 6: a request that hangs is broken off first, in the same process; only what hangs again is replaced', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    const hangs = () => stage.sees(session, { kind: 'frozen', how: 'hung-request' })
    const interrupts = () => stage.host.asked.filter(({ step }) => step === 'interruptAgent').length
    await hangs()
    await stage.until(
      'the text',
      () => Promise.resolve(stage.host.delivered.get(session) ?? []),
      (texts) => texts.some((text) => text.startsWith('Your last request got no answer')),
    )
    expect([interrupts(), launches(stage).length]).toEqual([1, 1])
    await hangs()
    await stage.untilSession(session, ({ rescueLog, phase }) => rescueLog.length > 0 && phase === 'working')
    expect([interrupts(), launches(stage).length]).toEqual([1, 2])
    // It has worked for a while: the mildest comes first again.
    await stage.theatre.pass(hour)
    await hangs()
    await stage.until(
      'another',
      () => Promise.resolve(interrupts()),
      (count) => count === 2,
    )
    expect(launches(stage)).toHaveLength(2)
  })

  it('law 6: one that spins takes no key, and is replaced where it is', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'b' })
    stage.host.sees(session, { kind: 'frozen', how: 'spinning' })
    const { rescueLog, account } = await stage.untilSession(
      session,
      (now) => now.rescueLog.length > 0 && now.phase === 'working',
    )
    expect({ account, rescueLog }).toMatchObject({ account: 'b', rescueLog: [{ cause: 'crash', to: 'b' }] })
    expect(launches(stage)).toHaveLength(2)
    expect(stage.host.launches[1]!.prompt?.text).toContain('Continue the task')
  })

  it('law 3: a frozen agent is stopped also where nobody can take its session: what is parked has no process', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    const now = await stage.theatre.now()
    stage.host.accounts.get('a')!.hitWall(now, now + 60 * minute)
    stage.host.sees(session, { kind: 'frozen', how: 'spinning' })
    await stage.untilSession(session, ({ phase }) => phase === 'parked')
    expect(stage.host.processes.size).toBe(0)
  })

  it('law 10: a tmux that refuses is no fault of an account: none rests for it', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const refuses = (): Error =>
      ApplicationFailure.create({ type: 'TmuxFailed', message: 'tmux: no answer', nonRetryable: true })
    stage.host.fails('launchAgent', refuses())
    const session = await stage.start('one')
    const parked = await stage.untilSession(session, ({ phase }) => phase === 'parked')
    expect(parked.attention).toContain('tmux')
    expect((await stage.view()).accounts.map(({ restUntil }) => restUntil)).toEqual([null, null])
    await stage.untilSession(session, ({ phase }) => phase === 'working', 10 * minute)
  })

  it('law 6: a session that its host will not watch says so, and no longer once it is watched again', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    for (let tries = 0; tries < 3; tries++)
      stage.host.fails('watchAgent', failureFrom(new UnknownPlaceError('a')))
    const { attention, phase } = await stage.untilSession(session, (now) => now.attention !== null)
    expect(phase).toBe('working')
    expect(attention).toMatch(/^nobody watches it: .* names no account or substrate a: /)
    await stage.untilSession(session, (now) => now.attention === null, 10 * minute)
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
  })

  for (const [kind, text] of [
    ['context', 'Prompt is too long'],
    ['config', 'model not found'],
  ] as const)
    it(`law 6: ${kind} waits for a person, is not restarted, and ends with the next turn`, async () => {
      const stage = await open({ accounts: ['a', 'b'] })
      const session = await stage.up('one', { account: 'a' })
      const { pid } = await stage.show(session)
      await stage.sees(session, { kind, text })
      const waiting = await stage.untilSession(session, ({ phase }) => phase === 'waiting')
      expect(waiting.attention).not.toBeNull()
      expect(waiting).toMatchObject({ pid, account: 'a' })
      await stage.until(
        'the next watch',
        () => Promise.resolve(stage.host.watches.at(-1)?.waiting ?? null),
        (known) => known?.what === text && known.endsWith === 'turn',
      )
      await stage.sees(session, { kind: 'not-waiting' })
      expect(await stage.untilSession(session, ({ phase }) => phase === 'working')).toMatchObject({
        attention: null,
        pid,
      })
      expect(stage.steps(session)).toEqual(['launchAgent a#1'])
    })

  it('law 6: a dialog waits with what it asks', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    await stage.sees(session, { kind: 'waiting', what: 'permission to run make' })
    const { attention } = await stage.untilSession(session, ({ phase }) => phase === 'waiting')
    expect(attention).toContain('permission to run make')
    expect(stage.steps(session)).toEqual(['launchAgent a#1'])
  })

  it('law 10: a turn that failed on something transient goes on later, by itself, without a restart', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const before = await stage.theatre.now()
    await stage.sees(session, { kind: 'transient', text: 'Overloaded' })
    await stage.until(
      'the text that has it go on',
      () => Promise.resolve(stage.host.delivered.get(session) ?? []),
      (texts) => texts.length === 1,
    )
    expect(stage.host.delivered.get(session)![0]).toContain('Continue the task')
    expect((await stage.theatre.now()) - before).toBeGreaterThanOrEqual(40 * second)
    expect(stage.steps(session)).toEqual(['launchAgent a#1'])
    expect(await stage.show(session)).toMatchObject({ attention: null, account: 'a', rescueLog: [] })
  })

  it('law 10: turns that keep failing are told to a person, who is not needed for the next try', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    for (let n = 1; n <= 5; n++) {
      await stage.sees(session, { kind: 'transient', text: 'Overloaded' })
      await stage.until(
        `try ${n}`,
        () => Promise.resolve((stage.host.delivered.get(session) ?? []).length),
        (tries) => tries === n,
        40 * minute,
        10 * second,
      )
    }
    expect((await stage.show(session)).attention).toMatch(/outpool attach .*keep failing: Overloaded/)
    await stage.sees(session, { kind: 'answered' })
    await stage.untilSession(session, ({ attention }) => attention === null)
    expect(stage.host.watches.find(({ failing }) => failing)).toBeDefined()
    expect(stage.host.watches.at(-1)!.failing).toBeUndefined()
  })

  it('law 6: a person who leaves the agent has stopped the session', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    stage.host.sees(session, { kind: 'exited', how: 'code 0', byPerson: true })
    const result: unknown = await stage.handle(session).result()
    expect(result).toMatchObject({ phase: 'stopped', rescueLog: [] })
    expect(await stage.leases()).toEqual({ a: [] })
    expect(launches(stage)).toHaveLength(1)
  })

  it('law 6: a conversation begun anew has room in its context: nobody is waited for any more', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    await stage.sees(session, { kind: 'context', text: 'Prompt is too long' })
    await stage.untilSession(session, ({ phase }) => phase === 'waiting')
    await stage.sees(session, { kind: 'renamed', sessionId: 'new', transcript: null, transcriptFrom: 0 })
    await stage.untilSession(session, ({ phase, attention }) => phase === 'idle' && attention === null)
  })

  it('a conversation that was written only after its launch is shown where it lies, from the first that is seen', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    const transcript = '/elsewhere/one.jsonl'
    await stage.sees(session, { kind: 'transient', text: 'overloaded', transcript })
    await stage.untilSession(session, (details) => details.transcript === transcript)
  })

  it('law 5: a conversation begun anew in the same pane is the session from then on', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    await stage.sees(session, { kind: 'renamed', sessionId: 'another', transcript: null, transcriptFrom: 0 })
    await stage.untilSession(session, ({ sessionId }) => sessionId === 'another')
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
    expect(stage.host.launches.at(-1)).toMatchObject({ sessionId: 'another', mode: 'resume' })
  })
})
