import { describe, expect, it } from 'vitest'
import type { DrillReport } from '../../policy/independence/drill.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { declared, declaredBy, drillReport, startDrill } from './harness/drillSide.js'
import { hour, minute, second, type Stage } from './harness/stage.js'
import { Theatre } from './harness/theatre.js'
import { useStage } from './harness/useStage.js'
import { failureFrom } from '../../activities/failures.js'
import { SharedDomainError } from '../../host/errors.js'

const open = useStage()

const notices = {
  ...{ channels: ['me'], settle: 30 * second },
  ...{ retryEvery: minute, retryAtMost: 30 * minute, giveUpAfter: 24 * hour },
}

const statusOf = async (stage: Stage, session: string): Promise<string> =>
  (await stage.theatre.client.workflow.getHandle(sessionWorkflowId(session)).describe()).status.name

describe('law 2: the drill', () => {
  it('law 2: its session parks on walls that are declared for it alone, gets up when they are lifted, and is gone', async () => {
    const stage = await open({ accounts: ['a'], notices })
    const other = await stage.up('other', { account: 'a' })
    const handle = await startDrill(stage)
    const report = await drillReport(stage)
    expect(await handle.result()).toEqual(report)
    expect(report).toMatchObject({ ok: true, why: null })
    expect(report.steps.map(({ name, found }) => `${name}: ${found}`)).toEqual([
      'is apart from the pool: no substrate is configured',
      'comes up and answers: working on a, answered',
      'parks: there is no substrate: parked on a',
      'comes home: working on a, answered',
    ])
    expect(await declared(stage)).toEqual([])
    expect(await statusOf(stage, report.session)).toBe('COMPLETED')
    expect(stage.steps(other)).toEqual(['launchAgent a#1'])
    await stage.theatre.pass(hour)
    expect(stage.host.told).toEqual([])
  })

  it('law 2: one that does not come home in time has failed: a person is told once, and nothing is left', async () => {
    const stage = await open({ accounts: ['a'], notices })
    const handle = await startDrill(stage, 5 * minute)
    await declaredBy(stage)
    // While it is parked, its home is lost in earnest.
    const now = await stage.theatre.now()
    stage.host.accounts.get('a')!.hitWall(now, now + 3 * hour)
    const other = await stage.start('other')
    await stage.untilSession(other, ({ phase }) => phase === 'parked')
    const report = await drillReport(stage)
    expect(report.ok).toBe(false)
    expect(report.why).toMatch(/did not get there in time: .*; last seen: parked/)
    expect(report.steps.at(-1)).toMatchObject({ ok: false })
    await handle.result()
    expect(await declared(stage)).toEqual([])
    expect(await statusOf(stage, report.session)).toBe('COMPLETED')
    await stage.theatre.pass(10 * minute)
    const drills = stage.host.told.filter(({ notice }) => notice.kind === 'drill')
    expect(drills.map(({ notice }) => notice.title)).toEqual(['the drill failed'])
  })

  it('law 1: a healer that is not apart fails at once, with both sides named, and starts nothing', async () => {
    const stage = await open({ accounts: ['a'] })
    stage.host.drill.fault = failureFrom(
      new SharedDomainError('rescuer shares the failure domain it heals: medic and a'),
    )
    const handle = await startDrill(stage)
    const report = (await handle.result()) as DrillReport
    expect(report).toMatchObject({
      ok: false,
      why: 'rescuer shares the failure domain it heals: medic and a',
    })
    expect(stage.host.launches).toEqual([])
  })

  it('law 7: what it declared ends by itself where it was terminated half-way', async () => {
    const stage = await open({ accounts: ['a'] })
    const handle = await startDrill(stage, 10 * minute)
    const { session, until } = await declaredBy(stage)
    await stage.theatre.settle()
    await handle.terminate('the test pulls the plug')
    await stage.theatre.pass(Date.parse(until) - (await stage.theatre.now()))
    await stage.until(
      'the end of the declaration',
      () => declared(stage),
      (found) => found.length === 0,
    )
    // This server does not pass the end of a workflow on to its children.
    await stage.theatre.client.workflow.getHandle(sessionWorkflowId(session)).terminate()
  })
})

describe('law 7: on the embedded engine', () => {
  const openReal = useStage(() => Theatre.openReal())

  it('law 7: a drill that is terminated half-way takes its session along', async () => {
    const stage = await openReal({ accounts: ['a'] })
    const handle = await startDrill(stage)
    const { session } = await declaredBy(stage)
    await handle.terminate('the test pulls the plug')
    await stage.until(
      'the end of its session',
      () => statusOf(stage, session),
      (status) => status === 'COMPLETED',
    )
    expect(stage.host.processes.size).toBe(0)
  })
})
