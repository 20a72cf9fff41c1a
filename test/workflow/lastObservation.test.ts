/** What a watch sees of an agent that is being stopped for an order. */
import { describe, expect, it } from 'vitest'
import { until } from '../../lab/until.js'
import type { SessionStart } from '../../workflows/messages.js'
import type { ScriptedObservation } from './harness/fakeHost.js'
import { hour, minute, type TestPool } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'

const open = useTestPool()

interface Scenario {
  testPool: TestPool
  session: string
}

/** A session on `a` that is ordered to `b`, and whose watch sees this while the agent is being stopped. */
async function seenDuringStop(
  observe: (testPool: TestPool) => Promise<ScriptedObservation> | ScriptedObservation,
  { order = 'move', ...start }: Partial<SessionStart> & { order?: 'move' | 'pause' } = {},
): Promise<Scenario> {
  const testPool = await open({ accounts: ['a', 'b', 'c'] })
  const { host } = testPool
  const { pollEvery } = host
  // While the stop is held, virtual time passes no faster than real time.
  host.pollEvery = 50
  const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin', ...start })
  const hold = host.holdNext('stopAgent')
  await (order === 'move' ? testPool.move(session, { to: 'b' }) : testPool.signal(session, order))
  await hold.reached
  host.willObserve(session, await observe(testPool))
  await until(
    'the watch to see it',
    () => Promise.resolve(host.hasObservedAll(session)),
    (isSeen) => isSeen,
  )
  host.pollEvery = pollEvery
  hold.open()
  return { testPool, session }
}

const hitsWall = async ({ host, server }: TestPool): Promise<ScriptedObservation> => {
  const now = await server.now()
  return { kind: 'walled', wall: host.accounts.get('a')!.hitWall(now, now + hour) }
}

const movedOnce = ['launchAgent a#1', 'stopAgent a#1', 'carry to b', 'launchAgent b#2']

async function expectMovedOnce({ testPool, session }: Scenario): Promise<string | null> {
  await testPool.untilOnAccount(session, 'b')
  await testPool.server.advance(minute)
  expect(testPool.steps(session)).toEqual(movedOnce)
  const text = testPool.host.launches.at(-1)?.prompt?.text ?? null
  return typeof text === 'object' ? null : text
}

describe('what a watch sees of an agent that is being stopped for an order', () => {
  it('law 4: an account that is to be left: the session is not moved a second time, and told nothing', async () => {
    const scenario = await seenDuringStop(() => ({ kind: 'leaving', why: 'a is no longer configured' }))
    expect(await expectMovedOnce(scenario)).toBeNull()
  })

  it('law 5: a wall: the session is moved once, and continues its turn', async () => {
    const scenario = await seenDuringStop(hitsWall)
    expect(await expectMovedOnce(scenario)).toContain('Continue the task')
    const kinds = [...scenario.testPool.host.events.values()].map(({ kind }) => kind)
    expect(kinds).toContain('session-walled')
  })

  it('law 5: a wall, and a pause: the session continues its turn once a person resumes it', async () => {
    const { testPool, session } = await seenDuringStop(hitsWall, { order: 'pause' })
    await testPool.untilSession(session, ({ phase }) => phase === 'paused')
    await testPool.signal(session, 'resume')
    await testPool.untilSession(session, ({ phase, account }) => phase === 'working' && account !== 'a')
    expect(testPool.host.launches.at(-1)?.prompt?.text).toContain('Continue the task')
  })

  it('law 5: a conversation that a person has begun: that one is carried', async () => {
    const scenario = await seenDuringStop(({ host }) => {
      host.addConversation('another', 'a')
      return { kind: 'renamed', sessionId: 'another', transcript: '/a/another.jsonl', transcriptFrom: 0 }
    })
    expect(await expectMovedOnce(scenario)).toBeNull()
    expect(scenario.testPool.host.launches.at(-1)?.sessionId).toBe('another')
  })

  it('law 4: a person who ends the agent: the session ends', async () => {
    const { testPool, session } = await seenDuringStop(() => ({
      ...{ kind: 'exited', how: 'exit code 0', byPerson: true, wasWorking: false },
    }))
    expect(await testPool.handle(session).result()).toMatchObject({ phase: 'stopped' })
    expect(testPool.host.processes.size).toBe(0)
  })

  it('law 6: a piece of work that is done: the session ends', async () => {
    const { testPool, session } = await seenDuringStop(() => ({ kind: 'turn-ended', wasWorking: false }), {
      once: true,
    })
    expect(await testPool.handle(session).result()).toMatchObject({ phase: 'stopped', workDone: true })
  })
})
