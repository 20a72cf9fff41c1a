import { ApplicationFailure } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import type { DeliveryState, SessionResult } from '../../workflows/messages.js'
import { minute, second, type Stage } from './harness/stage.js'
import { useStage } from './harness/useStage.js'
import { CommandRefusedError, LineOccupiedError, TextNotTakenError } from '../../activities/errors.js'
import { failureFrom } from '../../activities/failures.js'

const open = useStage()

const untilDelivered = (stage: Stage, session: string, count: number): Promise<string[]> =>
  stage.until(
    `${count} texts`,
    () => Promise.resolve(stage.host.delivered.get(session) ?? []),
    (texts) => texts.length >= count,
  )

const isDelivered = async (stage: Stage, session: string, id: string): Promise<boolean> =>
  (await stage.handle(session).query<DeliveryState, [string]>('delivered', id)).taken

describe('law 5: a text arrives once, in order, in the same conversation', () => {
  it('law 5: sent while a rescue goes on, it arrives afterwards', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    const hold = stage.host.holds('launchAgent')
    await stage.hitsWall(session, 'a')
    let isThere = false
    void hold.reached.then(() => (isThere = true))
    await stage.until(
      'the rescue',
      () => Promise.resolve(isThere),
      (there) => there,
    )
    await stage.send(session, '1', 'first')
    await stage.send(session, '2', 'second')
    expect(await isDelivered(stage, session, '1')).toBe(false)
    expect(stage.host.delivered.get(session)).toBeUndefined()
    hold.open()
    await stage.untilOn(session, 'b')
    expect(await untilDelivered(stage, session, 2)).toEqual(['first', 'second'])
    await stage.until(
      'the answer to be known',
      () => isDelivered(stage, session, '2'),
      (known) => known,
    )
    await stage.theatre.pass(minute)
    expect(stage.host.delivered.get(session)).toEqual(['first', 'second'])
  })

  it('law 5: what was not taken at a stop is in the last word, and said by the run that resumes', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one', { prompt: 'begin' })
    stage.host.busy.add(session)
    await stage.send(session, '1', 'said too late')
    await stage.order(session, 'stop')
    const { unsaid, sessionId } = (await stage.handle(session).result()) as SessionResult
    expect(unsaid).toEqual({ prompt: null, texts: [{ id: '1', text: 'said too late' }] })
    stage.host.busy.delete(session)
    await stage.start('one', { sessionId, continues: true, ...unsaid })
    expect(await untilDelivered(stage, session, 1)).toEqual(['said too late'])
  })

  it('law 5: the same id twice is one text, also after it was taken', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    stage.host.busy.add(session)
    await stage.send(session, '1', 'once')
    await stage.send(session, '1', 'once')
    await stage.theatre.pass(minute)
    expect(stage.host.delivered.get(session)).toBeUndefined()
    stage.host.busy.delete(session)
    await untilDelivered(stage, session, 1)
    await stage.send(session, '1', 'once')
    await stage.send(session, '2', 'another')
    expect(await untilDelivered(stage, session, 2)).toEqual(['once', 'another'])
  })

  it('law 5: a text whose process was replaced before it took it goes to the next one', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    stage.host.busy.add(session)
    await stage.send(session, '1', 'first')
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
    expect(stage.host.delivered.get(session)).toBeUndefined()
    stage.host.busy.delete(session)
    expect(await untilDelivered(stage, session, 1)).toEqual(['first'])
  })

  it('law 5: a delivery whose answer was lost is not made twice', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    stage.host.fails('deliverText', ApplicationFailure.create({ type: 'Lost', message: 'the worker died' }))
    await stage.send(session, '1', 'first')
    await stage.send(session, '2', 'second')
    expect(await untilDelivered(stage, session, 2)).toEqual(['first', 'second'])
    await stage.until(
      'both to be known as taken',
      () => isDelivered(stage, session, '2'),
      (known) => known,
    )
    expect(stage.host.delivered.get(session)).toEqual(['first', 'second'])
  })

  it('law 5: what a person typed to the process before goes to the next one, once, before what was sent since', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { account: 'a' })
    stage.host.busy.add(session)
    stage.host.typed = ['typed-1', 'typed-2']
    await stage.send(session, '1', 'sent')
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
    // Until they are taken the host names them at every launch.
    await stage.hitsWall(session, 'b')
    await stage.theatre.pass(4 * 60 * minute)
    await stage.untilSession(session, ({ phase }) => phase === 'working', 60 * minute, minute)
    stage.host.busy.delete(session)
    expect(await untilDelivered(stage, session, 3)).toEqual(['typed-1', 'typed-2', 'sent'])
    await stage.theatre.pass(minute)
    expect(stage.host.delivered.get(session)).toHaveLength(3)
  })

  it('law 5: a text goes to the conversation that the person went over to', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    const changed = ApplicationFailure.create({
      type: 'ConversationChanged',
      message: 'another conversation',
      nonRetryable: true,
    })
    stage.host.fails('deliverText', changed)
    await stage.send(session, '1', 'first')
    await stage.until(
      'the first try',
      () => Promise.resolve(stage.host.asked.filter(({ step }) => step === 'deliverText').length),
      (tries) => tries === 1,
    )
    stage.host.delivered.delete(session)
    await stage.sees(session, { kind: 'renamed', sessionId: 'new', transcript: null, transcriptFrom: 0 })
    await stage.until(
      'the second try',
      () => Promise.resolve(stage.host.asked.filter(({ step }) => step === 'deliverText').length),
      (tries) => tries === 2,
    )
    expect(stage.host.deliveries.at(-1)?.sessionId).toBe('new')
  })

  it('law 5: the first prompt reaches the agent, also where it comes up parked first', async () => {
    const stage = await open({ accounts: ['a'] })
    const now = await stage.theatre.now()
    stage.host.accounts.get('a')!.hitWall(now, now + 60 * minute)
    const session = await stage.start('one', { prompt: 'begin' })
    await stage.untilSession(session, ({ phase }) => phase === 'parked')
    await stage.untilOn(session, 'a', 70 * minute, minute)
    expect(stage.host.launches.map(({ prompt }) => prompt?.text)).toEqual(['begin'])
  })

  it('law 5: a first prompt that was not seen to be taken is offered again with the next process', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    stage.host.promptTaken = false
    const session = await stage.up('one', { account: 'a', prompt: 'begin' })
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
    expect(stage.host.launches[1]!.prompt?.text).toBe('begin')
    expect(stage.host.launches[1]!.prompt?.otherwise).toMatch(/Continue the task/)
  })

  it('law 5: a text sent to a paused session waits until it is resumed', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    await stage.order(session, 'pause')
    await stage.untilSession(session, ({ phase }) => phase === 'paused')
    await stage.send(session, '1', 'later')
    await stage.theatre.pass(10 * minute)
    expect(stage.host.delivered.get(session)).toBeUndefined()
    await stage.order(session, 'resume')
    expect(await untilDelivered(stage, session, 1)).toEqual(['later'])
  })
})

describe('law 13: what costs has a bound', () => {
  const notTaken = failureFrom(new TextNotTakenError(2))

  it('law 13: a text that was typed in vain waits with attention, the next goes on, and a person has it typed again', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    stage.host.busy.add(session)
    await stage.send(session, '1', 'first')
    await stage.send(session, '2', 'second')
    stage.host.fails('deliverText', notTaken)
    stage.host.busy.delete(session)
    const told = await stage.untilSession(session, ({ attention }) => attention !== null)
    expect(told.attention).toMatch(/a text of 5 characters waits: it was typed twice.*outpool resume/)
    expect(await untilDelivered(stage, session, 2)).toEqual(['first', 'second'])
    await stage.until(
      'the second to be known as taken',
      () => isDelivered(stage, session, '2'),
      (known) => known,
    )
    await stage.theatre.pass(60 * minute)
    const asked = () => stage.host.deliveries.filter(({ messageId }) => messageId === '1')
    expect(asked()).toHaveLength(1)
    expect((await stage.show(session)).attention).toBe(told.attention)
    await stage.order(session, 'resume')
    await stage.until(
      'the first to be known as taken',
      () => isDelivered(stage, session, '1'),
      (known) => known,
    )
    expect(asked().map(({ again }) => again ?? false)).toEqual([false, true])
    await stage.untilSession(session, ({ attention }) => attention === null)
  })

  it('law 5: a person’s text does not wait behind a pause of ours, and is said in place of "go on"', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    await stage.sees(session, { kind: 'transient', text: 'API Error: 529 Overloaded' })
    const paused = await stage.untilSession(session, ({ parkedUntil }) => parkedUntil !== null)
    expect(paused).toMatchObject({ phase: 'idle', attention: null })
    expect(Date.parse(paused.parkedUntil!)).toBeGreaterThan(await stage.theatre.now())
    await stage.send(session, '1', 'never mind, do the other thing')
    expect(await untilDelivered(stage, session, 1)).toEqual(['never mind, do the other thing'])
    await stage.untilSession(session, ({ parkedUntil }) => parkedUntil === null)
    await stage.theatre.pass(60 * minute)
    expect(stage.host.delivered.get(session)).toHaveLength(1)
  })

  it('law 13: a command that the agent does not know is told to its sender, and typed once', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one')
    stage.host.fails('deliverText', failureFrom(new CommandRefusedError('Unknown command: /nonsense')))
    await stage.handle(session).signal('send', { id: '1', text: '/nonsense', command: true })
    const state = () => stage.handle(session).query<DeliveryState, [string]>('delivered', '1')
    await stage.until('the refusal', state, ({ problem }) => problem !== null)
    expect(await state()).toEqual({ taken: false, problem: 'Unknown command: /nonsense' })
    await stage.theatre.pass(60 * minute)
    expect(stage.host.deliveries).toHaveLength(1)
    expect(stage.host.deliveries[0]).toMatchObject({ text: '/nonsense', command: true })
  })

  it('law 13: beyond ten turns of Outpool’s own within ten minutes the breaker parks the session, until a person resumes it', async () => {
    const stage = await open({
      accounts: ['a'],
      timing: { turnLimit: 4, retryEvery: second, retryAtMost: second },
    })
    const session = await stage.up('one')
    const isParked = async (): Promise<boolean> => (await stage.show(session)).phase === 'parked'
    for (let n = 1; n <= 6 && !(await isParked()); n++) {
      await stage.sees(session, { kind: 'transient', text: 'API Error: 500' })
      await stage.until(
        'the next "go on", or the breaker',
        async () => (stage.host.delivered.get(session) ?? []).length >= n || (await isParked()),
        (seen) => seen,
      )
    }
    const parked = await stage.untilSession(session, ({ phase }) => phase === 'parked')
    expect(parked.attention).toMatch(/outpool began 4 turns within 10 minutes \(4 × retry\).*outpool resume/)
    expect(parked.parkedUntil).toBeNull()
    expect(stage.host.processes.size).toBe(0)
    expect(stage.host.delivered.get(session)).toHaveLength(4)
    await stage.theatre.pass(24 * 60 * minute)
    expect((await stage.show(session)).phase).toBe('parked')
    expect(stage.host.launches).toHaveLength(1)
    await stage.order(session, 'resume')
    await stage.untilOn(session, 'a')
    expect((await stage.show(session)).attention).toBeNull()
    // What a person sends has its own cause, however much it is.
    for (let n = 1; n <= 8; n++) await stage.send(session, `p${n}`, `text ${n}`)
    expect((await untilDelivered(stage, session, 12)).slice(-8)).toEqual(
      Array.from({ length: 8 }, (_, n) => `text ${n + 1}`),
    )
  })

  it('law 13: a text whose typing is tried often counts once, and says why it waits', async () => {
    const stage = await open({ accounts: ['a'], timing: { turnLimit: 3, retryEvery: 10 * second } })
    const session = await stage.up('one')
    for (let n = 1; n <= 6; n++)
      stage.host.fails('deliverText', failureFrom(new LineOccupiedError('a draft stands in its input line')))
    await stage.handle(session).signal('send', { id: 'mail-1', text: 'a mail', byTask: true })
    const held = await stage.untilSession(session, ({ attention }) => attention !== null)
    expect(held.attention).toMatch(/a text waits: a draft stands in its input line/)
    await stage.until(
      'the mail to be known as taken',
      () => isDelivered(stage, session, 'mail-1'),
      (known) => known,
    )
    expect(await stage.show(session)).toMatchObject({ phase: 'working', attention: null })
    expect(stage.host.deliveries).toHaveLength(7)
  })
})
