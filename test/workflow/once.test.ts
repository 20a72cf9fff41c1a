import { describe, expect, it } from 'vitest'
import { minute } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'

const open = useTestPool()

describe('a session for a single task', () => {
  it('ends when a turn was answered, releases its account, and names the conversation', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one', { once: true, prompt: { file: '/prompts/garden.md' } })
    expect(testPool.host.launches[0]!.prompt?.text).toEqual({ file: '/prompts/garden.md' })
    expect(testPool.host.watches.at(-1)!.untilTurnEnd).toBe(true)
    await testPool.observe(session, { kind: 'turn-ended' })
    const ended = await testPool.untilSession(session, ({ phase }) => phase === 'stopped')
    expect(ended.transcript).toBe(`/a/${ended.sessionId}.jsonl`)
    expect(testPool.host.processes.has(session)).toBe(false)
    expect(await testPool.leases()).toEqual({ a: [] })
  })

  it('law 5: goes on while a text still waits to be sent', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one', { once: true, prompt: 'begin' })
    testPool.host.busy.add(session)
    await testPool.send(session, '1', 'and this')
    await testPool.observe(session, { kind: 'turn-ended' })
    await testPool.server.advance(minute)
    expect((await testPool.describe(session)).phase).toBe('working')
    testPool.host.busy.delete(session)
    await testPool.until(
      'the text',
      () => Promise.resolve(testPool.host.delivered.get(session) ?? []),
      (texts) => texts.length === 1,
    )
    await testPool.observe(session, { kind: 'turn-ended' })
    await testPool.untilSession(session, ({ phase }) => phase === 'stopped')
  })

  it('is rescued like any other before its work is done', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { once: true, account: 'a', prompt: 'begin' })
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    expect(testPool.host.watches.at(-1)!.untilTurnEnd).toBe(true)
    await testPool.observe(session, { kind: 'turn-ended' })
    await testPool.untilSession(session, ({ phase }) => phase === 'stopped')
  })

  it('law 13: is done although the prompt of its rescue was seen late, and is not told twice', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { once: true, account: 'a', prompt: 'begin' })
    testPool.host.acceptsPrompt = false
    testPool.host.busy.add(session)
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    // The next process, too, is told to go on, and takes it.
    testPool.host.acceptsPrompt = true
    testPool.host.willObserve(session, { kind: 'gone', what: 'tmux', wasWorking: true })
    await testPool.until(
      'the next process',
      () => Promise.resolve(testPool.host.launches.length),
      (launches) => launches === 3,
    )
    await testPool.untilOnAccount(session, 'b')
    await testPool.observe(session, { kind: 'turn-ended' })
    await testPool.untilSession(session, ({ phase }) => phase === 'stopped')
    expect(testPool.host.delivered.get(session) ?? []).toEqual([])
  })
})
