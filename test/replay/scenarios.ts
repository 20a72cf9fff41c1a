/** What the recorded workflows go through: every kind of run that they can have, on the real code. */
import { poolSignals } from '../../workflows/messages.js'
import { drillSimulatedWall, drillReport, startDrill } from '../workflow/harness/runDrill.js'
import { hour, minute, TestPool, type TestPoolOptions } from '../workflow/harness/testPool.js'
import type { TestServer } from '../workflow/harness/testServer.js'
import type { Scenario } from './scenario.js'
import { serviceScenarios } from './serviceScenarios.js'
import { LaunchFailedError } from '../../activities/errors.js'
import { failureFrom } from '../../activities/failures.js'
import { UnknownPlaceError } from '../../host/errors.js'

const twoAccounts: TestPoolOptions = { accounts: ['a', 'b'] }

const rescued: Scenario = {
  options: { accounts: ['a', 'b', 'c'] },
  run: async (testPool) => {
    const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    testPool.host.accounts.get('c')!.used = 0.5
    testPool.host.failNext(
      'launchAgent',
      failureFrom(new LaunchFailedError('it ended at its start')),
      (name) => name === 'b',
    )
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'c')
    return testPool.handle(session)
  },
}

const fallbackAndFailback: Scenario = {
  options: { accounts: ['a'], substrates: ['key'] },
  run: async (testPool) => {
    const session = await testPool.startRunning('one', { account: 'a', prompt: 'begin' })
    await testPool.hitWall(session, 'a', hour)
    await testPool.untilOnSubstrate(session, 'key')
    testPool.host.pollEvery = 5 * minute
    await testPool.until(
      'the order to fail back',
      () => Promise.resolve(testPool.host.failingBack.has(session)),
      (called) => called,
      2 * hour,
      10 * minute,
    )
    testPool.host.willObserve(session, { kind: 'ready-for-failback' })
    await testPool.untilOnAccount(session, 'a', hour, minute)
    await testPool.send(session, '1', 'a text')
    await testPool.server.advance(minute)
    return testPool.handle(session)
  },
}

const parkedAndWoken: Scenario = {
  options: { accounts: ['a'] },
  run: async (testPool) => {
    const session = await testPool.startRunning('one')
    await testPool.hitWall(session, 'a', hour)
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    await testPool.send(session, '1', 'a text')
    await testPool.untilOnAccount(session, 'a', 2 * hour, minute)
    return testPool.handle(session)
  },
}

const herd: Scenario = {
  options: { accounts: ['a', 'b', 'c'], specs: { c: { maxSessions: 3 } } },
  run: async (testPool) => {
    const names = await Promise.all(['1', '2', '3', '4', '5', '6'].map((name) => testPool.start(name)))
    for (const name of names) await testPool.untilSession(name, ({ phase }) => phase === 'working')
    const { account } = await testPool.describe(names[0]!)
    for (const name of names)
      if ((await testPool.describe(name)).account === account) await testPool.hitWall(name, account!)
    for (const name of names)
      await testPool.untilSession(name, (now) => now.phase === 'working' && now.account !== account)
    await testPool.signal(names[0]!, 'stop')
    await testPool.handle(names[0]!).result()
    return testPool.poolHandle
  },
}

/** By the name of the file that holds the recording. */
export const scenarios: Record<string, Scenario> = {
  'session-quiet': {
    options: twoAccounts,
    run: async (testPool) => {
      const session = await testPool.startRunning('one', { prompt: 'begin' })
      testPool.host.pollEvery = hour
      await testPool.send(session, '1', 'a text')
      await testPool.server.advance(6 * hour)
      return testPool.handle(session)
    },
  },
  'session-rescued': rescued,
  'session-fallback-and-failback': fallbackAndFailback,
  'session-parked-and-woken': parkedAndWoken,
  'session-moved': {
    options: twoAccounts,
    run: async (testPool) => {
      const session = await testPool.startRunning('one', { account: 'a' })
      await testPool.move(session, { to: 'b' })
      await testPool.untilOnAccount(session, 'b')
      testPool.host.accounts.get('b')!.used = 0.97
      testPool.host.willObserve(session, { kind: 'near-limit', why: 'b at 97 %', wall: null })
      await testPool.untilOnAccount(session, 'a')
      await testPool.signal(session, 'pause')
      await testPool.untilSession(session, ({ phase }) => phase === 'paused')
      await testPool.signal(session, 'resume')
      await testPool.untilOnAccount(session, 'a')
      return testPool.handle(session)
    },
  },
  'session-crashed': {
    options: twoAccounts,
    run: async (testPool) => {
      const session = await testPool.startRunning('one', { account: 'a' })
      for (const n of [1, 2, 3]) {
        testPool.host.willObserve(session, { kind: 'exited', how: 'signal 11', byPerson: false })
        await testPool.untilSession(
          session,
          ({ rescueLog, phase }) => rescueLog.length === n && phase === 'working',
        )
      }
      await testPool.observe(session, { kind: 'transient', text: 'Overloaded' })
      await testPool.server.advance(5 * minute)
      return testPool.handle(session)
    },
  },
  'session-login-lost': {
    options: twoAccounts,
    run: async (testPool) => {
      const session = await testPool.startRunning('one', { account: 'a' })
      testPool.host.accounts.get('a')!.login = 'out'
      testPool.host.willObserve(session, { kind: 'login', text: 'Please run /login' })
      await testPool.untilOnAccount(session, 'b')
      await testPool.observe(session, { kind: 'waiting', what: 'permission to run make' })
      await testPool.observe(session, { kind: 'not-waiting' })
      return testPool.handle(session)
    },
  },
  'session-unwatched': {
    options: twoAccounts,
    run: async (testPool) => {
      const session = await testPool.startRunning('one', { account: 'a' })
      for (const tried of [1, 2]) {
        testPool.host.failNext('watchAgent', failureFrom(new UnknownPlaceError('a')))
        await testPool.untilSession(session, ({ attention }) => attention !== null)
        if (tried === 1) await testPool.untilSession(session, ({ attention }) => attention === null)
      }
      await testPool.signal(session, 'stop')
      await testPool.handle(session).result()
      return testPool.handle(session)
    },
  },
  'session-renewed': {
    options: twoAccounts,
    run: async (testPool) => {
      const session = await testPool.startRunning('one', { account: 'a' })
      const { runId, workflowId } = await testPool.handle(session).describe()
      await testPool.untilLong(testPool.handle(session), () => testPool.signal(session, 'resume'))
      await testPool.hitWall(session, 'a')
      await testPool.untilOnAccount(session, 'b')
      await testPool.untilContinuedAsNew(testPool.handle(session), runId)
      return testPool.server.client.workflow.getHandle(workflowId, runId)
    },
  },
  'pool-renewed': {
    options: twoAccounts,
    run: async (testPool) => {
      await testPool.startRunning('one', { account: 'a' })
      testPool.host.pollEvery = hour
      const { runId, workflowId } = await testPool.poolHandle.describe()
      await testPool.untilLong(testPool.poolHandle, () =>
        testPool.poolHandle.signal(poolSignals.liftWall, 'nobody'),
      )
      await testPool.untilContinuedAsNew(testPool.poolHandle, runId, 7 * hour, hour)
      return testPool.server.client.workflow.getHandle(workflowId, runId)
    },
  },
  'session-stopped': {
    options: twoAccounts,
    run: async (testPool) => {
      const session = await testPool.startRunning('one')
      await testPool.signal(session, 'stop')
      await testPool.handle(session).result()
      return testPool.handle(session)
    },
  },
  'pool-herd': herd,
  'pool-probes': {
    options: twoAccounts,
    run: async (testPool) => {
      for (const account of testPool.host.accounts.values()) account.isRead = false
      testPool.host.accounts.get('a')!.isSilent = true
      await testPool.startRunning('one', { account: 'a' })
      await testPool.startRunning('two', { account: 'b' })
      return testPool.poolHandle
    },
  },
  'pool-parks': {
    options: { accounts: ['a'], specs: { a: { maxSessions: 1 } } },
    run: async (testPool) => {
      const session = await testPool.startRunning('one')
      const next = await testPool.start('two')
      await testPool.hitWall(session, 'a', hour)
      await testPool.untilSession(next, ({ phase }) => phase === 'parked')
      await testPool.until(
        'one of them to be up again',
        () => Promise.all([testPool.describe(session), testPool.describe(next)]),
        (both) => both.some(({ phase }) => phase === 'working'),
        3 * hour,
        minute,
      )
      return testPool.poolHandle
    },
  },
  'drill-fallback-and-failback': {
    options: { accounts: ['a'], substrates: ['key'] },
    run: async (testPool) => {
      testPool.host.drill.fallbacks = ['key']
      const drill = await startDrill(testPool)
      const { session } = await drillSimulatedWall(testPool)
      await testPool.until(
        'the order to fail back',
        () => Promise.resolve(testPool.host.failingBack.has(session)),
        (called) => called,
      )
      testPool.host.willObserve(session, { kind: 'ready-for-failback' })
      await drillReport(testPool)
      return drill
    },
  },
  'drill-failed': {
    options: { accounts: ['a'] },
    run: async (testPool) => {
      const drill = await startDrill(testPool, 5 * minute)
      await drillSimulatedWall(testPool)
      const now = await testPool.server.now()
      testPool.host.accounts.get('a')!.hitWall(now, now + 3 * hour)
      // Another session finds no room when it fails back.
      const other = await testPool.start('other')
      await testPool.untilSession(other, ({ phase }) => phase === 'parked')
      await drillReport(testPool)
      return drill
    },
  },
  ...serviceScenarios,
}

/** Runs it, and returns the history as the server has it. */
export async function runScenario(testServer: TestServer, name: string) {
  const { options, run: runScenario } = scenarios[name]!
  const testPool = await TestPool.open(testServer, options)
  try {
    return await (await runScenario(testPool)).fetchHistory()
  } finally {
    await testPool.close()
  }
}
