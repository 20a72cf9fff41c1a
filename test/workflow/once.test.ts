import { describe, expect, it } from 'vitest'
import { minute } from './harness/stage.js'
import { useStage } from './harness/useStage.js'

const open = useStage()

describe('a session that is there for one piece of work', () => {
  it('ends when a turn was answered, gives its account back, and names the conversation', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one', { once: true, prompt: { file: '/prompts/garden.md' } })
    expect(stage.host.launches[0]!.prompt?.text).toEqual({ file: '/prompts/garden.md' })
    expect(stage.host.watches.at(-1)!.untilTurnEnd).toBe(true)
    await stage.sees(session, { kind: 'turn-ended' })
    const ended = await stage.untilSession(session, ({ phase }) => phase === 'stopped')
    expect(ended.transcript).toBe(`/a/${ended.sessionId}.jsonl`)
    expect(stage.host.processes.has(session)).toBe(false)
    expect(await stage.leases()).toEqual({ a: [] })
  })

  it('law 5: goes on while a text still waits to be said', async () => {
    const stage = await open({ accounts: ['a'] })
    const session = await stage.up('one', { once: true, prompt: 'begin' })
    stage.host.busy.add(session)
    await stage.send(session, '1', 'and this')
    await stage.sees(session, { kind: 'turn-ended' })
    await stage.theatre.pass(minute)
    expect((await stage.show(session)).phase).toBe('working')
    stage.host.busy.delete(session)
    await stage.until(
      'the text',
      () => Promise.resolve(stage.host.delivered.get(session) ?? []),
      (texts) => texts.length === 1,
    )
    await stage.sees(session, { kind: 'turn-ended' })
    await stage.untilSession(session, ({ phase }) => phase === 'stopped')
  })

  it('is rescued like any other before its work is done', async () => {
    const stage = await open({ accounts: ['a', 'b'] })
    const session = await stage.up('one', { once: true, account: 'a', prompt: 'begin' })
    await stage.hitsWall(session, 'a')
    await stage.untilOn(session, 'b')
    expect(stage.host.watches.at(-1)!.untilTurnEnd).toBe(true)
    await stage.sees(session, { kind: 'turn-ended' })
    await stage.untilSession(session, ({ phase }) => phase === 'stopped')
  })
})
