import { ApplicationFailure } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import type { DeliveryState, SessionResult } from '../../workflows/messages.js'
import { minute, second, type TestPool } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'
import {
  CommandRefusedError,
  LineOccupiedError,
  TextNotTakenError,
  TextRefusedError,
} from '../../activities/errors.js'
import { failureFrom } from '../../activities/failures.js'

const open = useTestPool()

const untilDelivered = (testPool: TestPool, session: string, count: number): Promise<string[]> =>
  testPool.until(
    `${count} texts`,
    () => Promise.resolve(testPool.host.delivered.get(session) ?? []),
    (texts) => texts.length >= count,
  )

const isDelivered = async (testPool: TestPool, session: string, id: string): Promise<boolean> =>
  (await testPool.handle(session).query<DeliveryState, [string]>('deliveryState', id)).taken

describe('law 5: a text arrives once, in order, in the same conversation', () => {
  it('law 5: a text sent during a rescue arrives afterwards', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    const hold = testPool.host.holdNext('launchAgent')
    await testPool.hitWall(session, 'a')
    let isThere = false
    void hold.reached.then(() => (isThere = true))
    await testPool.until(
      'the rescue',
      () => Promise.resolve(isThere),
      (there) => there,
    )
    await testPool.send(session, '1', 'first')
    await testPool.send(session, '2', 'second')
    expect(await isDelivered(testPool, session, '1')).toBe(false)
    expect(testPool.host.delivered.get(session)).toBeUndefined()
    hold.open()
    await testPool.untilOnAccount(session, 'b')
    expect(await untilDelivered(testPool, session, 2)).toEqual(['first', 'second'])
    await testPool.until(
      'the answer to be known',
      () => isDelivered(testPool, session, '2'),
      (known) => known,
    )
    await testPool.server.advance(minute)
    expect(testPool.host.delivered.get(session)).toEqual(['first', 'second'])
  })

  it("law 5: what was not taken at a stop is in the workflow's result, and sent by the run that resumes", async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one', { prompt: 'begin' })
    testPool.host.busy.add(session)
    await testPool.send(session, '1', 'said too late')
    await testPool.signal(session, 'stop')
    const { undelivered, sessionId } = (await testPool.handle(session).result()) as SessionResult
    expect(undelivered).toEqual({ prompt: null, texts: [{ id: '1', text: 'said too late' }] })
    testPool.host.busy.delete(session)
    await testPool.start('one', { sessionId, continues: true, ...undelivered })
    expect(await untilDelivered(testPool, session, 1)).toEqual(['said too late'])
  })

  it('law 5: the same id twice is one text, also after it was taken', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    testPool.host.busy.add(session)
    await testPool.send(session, '1', 'once')
    await testPool.send(session, '1', 'once')
    await testPool.server.advance(minute)
    expect(testPool.host.delivered.get(session)).toBeUndefined()
    testPool.host.busy.delete(session)
    await untilDelivered(testPool, session, 1)
    await testPool.send(session, '1', 'once')
    await testPool.send(session, '2', 'another')
    expect(await untilDelivered(testPool, session, 2)).toEqual(['once', 'another'])
  })

  it('law 5: a text whose process was replaced before it took it goes to the next process', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.busy.add(session)
    await testPool.send(session, '1', 'first')
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    expect(testPool.host.delivered.get(session)).toBeUndefined()
    testPool.host.busy.delete(session)
    expect(await untilDelivered(testPool, session, 1)).toEqual(['first'])
  })

  it('law 5: a delivery whose answer was lost is not repeated', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    testPool.host.failNext(
      'deliverText',
      ApplicationFailure.create({ type: 'Lost', message: 'the worker died' }),
    )
    await testPool.send(session, '1', 'first')
    await testPool.send(session, '2', 'second')
    expect(await untilDelivered(testPool, session, 2)).toEqual(['first', 'second'])
    await testPool.until(
      'both to be recorded as taken',
      () => isDelivered(testPool, session, '2'),
      (known) => known,
    )
    expect(testPool.host.delivered.get(session)).toEqual(['first', 'second'])
  })

  it('law 5: what a person typed to the process before goes to the next one, once, before later texts', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.busy.add(session)
    testPool.host.typedTexts = ['typed-1', 'typed-2']
    await testPool.send(session, '1', 'sent')
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    // The host names them at every launch until they are taken.
    await testPool.hitWall(session, 'b')
    await testPool.server.advance(4 * 60 * minute)
    await testPool.untilSession(session, ({ phase }) => phase === 'working', 60 * minute, minute)
    testPool.host.busy.delete(session)
    expect(await untilDelivered(testPool, session, 3)).toEqual(['typed-1', 'typed-2', 'sent'])
    await testPool.server.advance(minute)
    expect(testPool.host.delivered.get(session)).toHaveLength(3)
  })

  it('law 5: a text goes to the conversation that the person switched to', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    const changed = ApplicationFailure.create({
      type: 'ConversationChanged',
      message: 'another conversation',
      nonRetryable: true,
    })
    testPool.host.failNext('deliverText', changed)
    await testPool.send(session, '1', 'first')
    await testPool.until(
      'the first try',
      () => Promise.resolve(testPool.host.calls.filter(({ step }) => step === 'deliverText').length),
      (tries) => tries === 1,
    )
    testPool.host.delivered.delete(session)
    await testPool.observe(session, {
      kind: 'renamed',
      sessionId: 'new',
      transcript: null,
      transcriptFrom: 0,
    })
    await testPool.until(
      'the second try',
      () => Promise.resolve(testPool.host.calls.filter(({ step }) => step === 'deliverText').length),
      (tries) => tries === 2,
    )
    expect(testPool.host.deliveries.at(-1)?.sessionId).toBe('new')
  })

  it('law 5: the first prompt reaches the agent, also if the session is parked first', async () => {
    const testPool = await open({ accounts: ['a'] })
    const now = await testPool.server.now()
    testPool.host.accounts.get('a')!.hitWall(now, now + 60 * minute)
    const session = await testPool.start('one', { prompt: 'begin' })
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    await testPool.untilOnAccount(session, 'a', 70 * minute, minute)
    expect(testPool.host.launches.map(({ prompt }) => prompt?.text)).toEqual(['begin'])
  })

  it('law 5: a first prompt that was not seen to be taken is offered again with the next process', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    testPool.host.acceptsPrompt = false
    const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    expect(testPool.host.launches[1]!.prompt?.text).toBe('begin')
    expect(testPool.host.launches[1]!.prompt?.otherwise).toMatch(/Continue the task/)
  })

  it('law 5: a prompt to go on that an agent did not take before it vanished reaches the next one', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    testPool.host.acceptsPrompt = false
    testPool.host.busy.add(session)
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    testPool.host.acceptsPrompt = true
    // As the conversation of an agent looks that has not begun its turn: at rest.
    testPool.host.willObserve(session, { kind: 'gone', what: 'tmux', wasWorking: false })
    await testPool.until(
      'the next process',
      () => Promise.resolve(testPool.host.launches.length),
      (launches) => launches === 3,
    )
    testPool.host.busy.delete(session)
    expect(testPool.host.launches[2]!.prompt).toBeNull()
    const [told] = await untilDelivered(testPool, session, 1)
    expect(told).toContain('The usage limit was reached, and this session now runs on another account.')
  })

  it('law 5: a text sent to a paused session waits until it is resumed', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    await testPool.signal(session, 'pause')
    await testPool.untilSession(session, ({ phase }) => phase === 'paused')
    await testPool.send(session, '1', 'later')
    await testPool.server.advance(10 * minute)
    expect(testPool.host.delivered.get(session)).toBeUndefined()
    await testPool.signal(session, 'resume')
    expect(await untilDelivered(testPool, session, 1)).toEqual(['later'])
  })
})

describe('law 13: what costs has a bound', () => {
  const notTaken = failureFrom(new TextNotTakenError(2))

  it('law 13: a text that was typed in vain waits with attention, the next goes on, and a person can have it typed again', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    testPool.host.busy.add(session)
    await testPool.send(session, '1', 'first')
    await testPool.send(session, '2', 'second')
    testPool.host.failNext('deliverText', notTaken)
    testPool.host.busy.delete(session)
    const waiting = await testPool.untilSession(session, ({ attention }) => attention !== null)
    expect(waiting.attention).toMatch(/a text of 5 characters waits: it was typed twice.*outpool resume/)
    expect(await untilDelivered(testPool, session, 2)).toEqual(['first', 'second'])
    await testPool.until(
      'the second to be recorded as taken',
      () => isDelivered(testPool, session, '2'),
      (known) => known,
    )
    await testPool.server.advance(60 * minute)
    const attempts = () => testPool.host.deliveries.filter(({ messageId }) => messageId === '1')
    expect(attempts()).toHaveLength(1)
    expect((await testPool.describe(session)).attention).toBe(waiting.attention)
    await testPool.signal(session, 'resume')
    await testPool.until(
      'the first to be recorded as taken',
      () => isDelivered(testPool, session, '1'),
      (known) => known,
    )
    expect(attempts().map(({ isRetry: again }) => again ?? false)).toEqual([false, true])
    await testPool.untilSession(session, ({ attention }) => attention === null)
  })

  it('law 5: a person’s text does not wait for a pause of ours to end, and replaces "go on"', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    await testPool.observe(session, { kind: 'transient', text: 'API Error: 529 Overloaded' })
    const paused = await testPool.untilSession(session, ({ parkedUntil }) => parkedUntil !== null)
    expect(paused).toMatchObject({ phase: 'idle', attention: null })
    expect(Date.parse(paused.parkedUntil!)).toBeGreaterThan(await testPool.server.now())
    await testPool.send(session, '1', 'never mind, do the other thing')
    expect(await untilDelivered(testPool, session, 1)).toEqual(['never mind, do the other thing'])
    await testPool.untilSession(session, ({ parkedUntil }) => parkedUntil === null)
    await testPool.server.advance(60 * minute)
    expect(testPool.host.delivered.get(session)).toHaveLength(1)
  })

  it('law 13: a command that the agent does not know is reported to its sender, and typed once', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    testPool.host.failNext('deliverText', failureFrom(new CommandRefusedError('Unknown command: /nonsense')))
    await testPool.handle(session).signal('send', { id: '1', text: '/nonsense', command: true })
    const state = () => testPool.handle(session).query<DeliveryState, [string]>('deliveryState', '1')
    await testPool.until('the refusal', state, ({ problem }) => problem !== null)
    expect(await state()).toEqual({ taken: false, problem: 'Unknown command: /nonsense' })
    await testPool.server.advance(60 * minute)
    expect(testPool.host.deliveries).toHaveLength(1)
    expect(testPool.host.deliveries[0]).toMatchObject({ text: '/nonsense', command: true })
  })

  it('law 13: a text that a hook refuses is typed once: its sender gets the reason, a person is notified, and later texts go on', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    testPool.host.busy.add(session)
    await testPool.send(session, '1', 'refused')
    await testPool.send(session, '2', 'second')
    testPool.host.failNext('deliverText', failureFrom(new TextRefusedError('no such words')))
    testPool.host.busy.delete(session)
    expect(await untilDelivered(testPool, session, 2)).toEqual(['refused', 'second'])
    const state = await testPool.handle(session).query<DeliveryState, [string]>('deliveryState', '1')
    expect(state).toEqual({ taken: false, problem: 'a hook on UserPromptSubmit refused it: "no such words"' })
    const { attention, phase } = await testPool.untilSession(session, (now) => now.attention !== null)
    expect([phase, attention]).toEqual([
      'working',
      expect.stringMatching(
        /^a text of 7 characters was not taken: a hook .*"no such words".*outpool resume/,
      ),
    ])
    await testPool.server.advance(60 * minute)
    expect(testPool.host.deliveries.filter(({ messageId }) => messageId === '1')).toHaveLength(1)
    // The next text of a person shows that they have seen it.
    await testPool.send(session, '3', 'third')
    await testPool.untilSession(session, (now) => now.attention === null)
    expect(await untilDelivered(testPool, session, 3)).toEqual(['refused', 'second', 'third'])
  })

  it('law 13: beyond ten turns begun by Outpool within ten minutes the breaker parks the session, until a person resumes it', async () => {
    const testPool = await open({
      accounts: ['a'],
      timing: { turnLimit: 4, retryEvery: second, retryMaxInterval: second },
    })
    const session = await testPool.startRunning('one')
    const isParked = async (): Promise<boolean> => (await testPool.describe(session)).phase === 'parked'
    for (let n = 1; n <= 6 && !(await isParked()); n++) {
      await testPool.observe(session, { kind: 'transient', text: 'API Error: 500' })
      await testPool.until(
        'the next "go on", or the breaker',
        async () => (testPool.host.delivered.get(session) ?? []).length >= n || (await isParked()),
        (seen) => seen,
      )
    }
    const parked = await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    expect(parked.attention).toMatch(/outpool began 4 turns within 10 minutes \(4 × retry\).*outpool resume/)
    expect(parked.parkedUntil).toBeNull()
    expect(testPool.host.processes.size).toBe(0)
    expect(testPool.host.delivered.get(session)).toHaveLength(4)
    await testPool.server.advance(24 * 60 * minute)
    expect((await testPool.describe(session)).phase).toBe('parked')
    expect(testPool.host.launches).toHaveLength(1)
    await testPool.signal(session, 'resume')
    await testPool.untilOnAccount(session, 'a')
    expect((await testPool.describe(session)).attention).toBeNull()
    // What a person sends is not counted, however much it is.
    for (let n = 1; n <= 8; n++) await testPool.send(session, `p${n}`, `text ${n}`)
    expect((await untilDelivered(testPool, session, 12)).slice(-8)).toEqual(
      Array.from({ length: 8 }, (_, n) => `text ${n + 1}`),
    )
  })

  it('law 13: a text counts once however often its typing is tried, and says why it waits', async () => {
    const testPool = await open({ accounts: ['a'], timing: { turnLimit: 3, retryEvery: 10 * second } })
    const session = await testPool.startRunning('one')
    for (let n = 1; n <= 6; n++)
      testPool.host.failNext(
        'deliverText',
        failureFrom(new LineOccupiedError('a draft stands in its input line')),
      )
    await testPool.handle(session).signal('send', { id: 'mail-1', text: 'a mail', byTask: true })
    const held = await testPool.untilSession(session, ({ attention }) => attention !== null)
    expect(held.attention).toMatch(/a text waits: a draft stands in its input line/)
    await testPool.until(
      'the mail to be recorded as taken',
      () => isDelivered(testPool, session, 'mail-1'),
      (known) => known,
    )
    expect(await testPool.describe(session)).toMatchObject({ phase: 'working', attention: null })
    expect(testPool.host.deliveries).toHaveLength(7)
  })
})
