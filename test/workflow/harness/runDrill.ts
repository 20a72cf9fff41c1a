/** Starts a drill on a test pool, and waits for what it does. */
import type { WorkflowHandle } from '@temporalio/client'
import type { DrillReport, DrillStart } from '../../../policy/independence/drill.js'
import { commonQueue, drillWorkflowId } from '../../../policy/ids.js'
import type { SimulatedWall } from '../../../policy/pool/lease.js'
import type { TestPool } from './testPool.js'

const minute = 60_000

export function startDrill(testPool: TestPool, within = 15 * minute): Promise<WorkflowHandle> {
  const input: DrillStart = {
    pool: testPool.name,
    host: testPool.host.hostId,
    agent: 'claude-code',
    model: null,
    timeout: within,
    timing: testPool.settings.timing,
  }
  return testPool.server.client.workflow.start('drill', {
    ...{ workflowId: drillWorkflowId(testPool.name), taskQueue: commonQueue, args: [input] },
  })
}

/** The simulated walls that the pool holds now. */
export const simulatedWalls = async (testPool: TestPool): Promise<SimulatedWall[]> =>
  (await testPool.describePool()).simulatedWalls ?? []

/** The simulated wall of the drill, as soon as there is one. */
export async function drillSimulatedWall(testPool: TestPool): Promise<SimulatedWall> {
  const [first] = await testPool.until(
    'the simulated wall',
    () => simulatedWalls(testPool),
    (found) => found.length > 0,
  )
  return first!
}

export async function drillReport(testPool: TestPool, within = 30 * minute): Promise<DrillReport> {
  const [report] = await testPool.until(
    'the report',
    () => Promise.resolve(testPool.host.drill.reports),
    (reports) => reports.length > 0,
    within,
    5_000,
  )
  return report!
}
