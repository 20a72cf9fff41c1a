import { describe, expect, it } from 'vitest'
import type { DrillReport } from '../../policy/independence/drill.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { simulatedWalls, drillSimulatedWall, drillReport, startDrill } from './harness/runDrill.js'
import { hour, minute, second, type TestPool } from './harness/testPool.js'
import { TestServer } from './harness/testServer.js'
import { useTestPool } from './harness/useTestPool.js'
import { failureFrom } from '../../activities/failures.js'
import { SharedDomainError } from '../../host/errors.js'

const open = useTestPool()

const notices = {
  ...{ channels: ['me'], settleFor: 30 * second },
  ...{ retryEvery: minute, retryMaxInterval: 30 * minute, giveUpAfter: 24 * hour },
}

const statusOf = async (testPool: TestPool, session: string): Promise<string> =>
  (await testPool.server.client.workflow.getHandle(sessionWorkflowId(session)).describe()).status.name

describe('law 2: the drill', () => {
  it('law 2: its session parks on walls that are simulated for it alone, starts again when they are lifted, and is removed', async () => {
    const testPool = await open({ accounts: ['a'], notices })
    const other = await testPool.startRunning('other', { account: 'a' })
    const handle = await startDrill(testPool)
    const report = await drillReport(testPool)
    expect(await handle.result()).toEqual(report)
    expect(report).toMatchObject({ ok: true, why: null })
    expect(report.steps.map(({ name, found }) => `${name}: ${found}`)).toEqual([
      'is apart from the pool: no substrate is configured',
      'comes up and answers: working on a, answered',
      'parks: there is no substrate: parked on a',
      'fails back: working on a, answered',
    ])
    expect(await simulatedWalls(testPool)).toEqual([])
    expect(await statusOf(testPool, report.session)).toBe('COMPLETED')
    expect(testPool.steps(other)).toEqual(['launchAgent a#1'])
    await testPool.server.advance(hour)
    expect(testPool.host.sentNotices).toEqual([])
  })

  it('law 2: a drill whose session does not fail back in time fails: a person is notified once, and nothing is left behind', async () => {
    const testPool = await open({ accounts: ['a'], notices })
    const handle = await startDrill(testPool, 5 * minute)
    await drillSimulatedWall(testPool)
    // While the session is parked, its account really refuses.
    const now = await testPool.server.now()
    testPool.host.accounts.get('a')!.hitWall(now, now + 3 * hour)
    const other = await testPool.start('other')
    await testPool.untilSession(other, ({ phase }) => phase === 'parked')
    const report = await drillReport(testPool)
    expect(report.ok).toBe(false)
    expect(report.why).toMatch(/did not reach this step in time: .*; last observed: parked/)
    expect(report.steps.at(-1)).toMatchObject({ ok: false })
    await handle.result()
    expect(await simulatedWalls(testPool)).toEqual([])
    expect(await statusOf(testPool, report.session)).toBe('COMPLETED')
    await testPool.server.advance(10 * minute)
    const drills = testPool.host.sentNotices.filter(({ notice }) => notice.kind === 'drill')
    expect(drills.map(({ notice }) => notice.title)).toEqual(['the drill failed'])
  })

  it('law 1: if the healer shares a failure domain the drill fails at once, names both sides, and starts nothing', async () => {
    const testPool = await open({ accounts: ['a'] })
    testPool.host.drill.failure = failureFrom(
      new SharedDomainError('rescuer shares the failure domain it heals: medic and a'),
    )
    const handle = await startDrill(testPool)
    const report = (await handle.result()) as DrillReport
    expect(report).toMatchObject({
      ok: false,
      why: 'rescuer shares the failure domain it heals: medic and a',
    })
    expect(testPool.host.launches).toEqual([])
  })

  it('law 7: simulated walls end by themselves if the drill was terminated half-way', async () => {
    const testPool = await open({ accounts: ['a'] })
    const handle = await startDrill(testPool, 10 * minute)
    const { session, until } = await drillSimulatedWall(testPool)
    await testPool.server.settle()
    await handle.terminate('the test pulls the plug')
    await testPool.server.advance(Date.parse(until) - (await testPool.server.now()))
    await testPool.until(
      'the end of the simulated wall',
      () => simulatedWalls(testPool),
      (found) => found.length === 0,
    )
    // This server does not terminate child workflows with their parent.
    await testPool.server.client.workflow.getHandle(sessionWorkflowId(session)).terminate()
  })
})

describe('law 7: on the embedded engine', () => {
  const openReal = useTestPool(() => TestServer.openWallClock())

  it('law 7: a drill that is terminated half-way ends its session too', async () => {
    const testPool = await openReal({ accounts: ['a'] })
    const handle = await startDrill(testPool)
    const { session } = await drillSimulatedWall(testPool)
    await handle.terminate('the test pulls the plug')
    await testPool.until(
      'the end of its session',
      () => statusOf(testPool, session),
      (status) => status === 'COMPLETED',
    )
    expect(testPool.host.processes.size).toBe(0)
  })
})
