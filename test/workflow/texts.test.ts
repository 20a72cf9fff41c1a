import { ApplicationFailure } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import type { SessionResult } from '../../workflows/messages.js'
import { minute, type Stage } from './harness/stage.js'
import { useStage } from './harness/useStage.js'

const open = useStage()

const untilDelivered = (stage: Stage, session: string, count: number): Promise<string[]> =>
  stage.until(
    `${count} texts`,
    () => Promise.resolve(stage.host.delivered.get(session) ?? []),
    (texts) => texts.length >= count,
  )

const isDelivered = (stage: Stage, session: string, id: string): Promise<boolean> =>
  stage.handle(session).query<boolean, [string]>('delivered', id)

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
