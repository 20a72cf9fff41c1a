/** The fleet that the tests of the control plane attack, and its attacker. */
import { existsSync, mkdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import proto from '@temporalio/proto'
import { afterAll, beforeAll, expect } from 'vitest'
import { openStubFleet, type StubFleet } from '../../bench/stubFleet.js'
import { poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import { sessionQueries } from '../../workflows/messages.js'
import { Attacker } from './attacker.js'

const { EventType } = proto.temporal.api.enums.v1

export let stub: StubFleet
export let attacker: Attacker
/** A folder that only the attacker wants an agent in. */
export let elsewhere: string

/** A real `outpool up` for the tests of a file, with the sessions alpha and beta, whose agents are stubs. */
export function shareAttackedFleet(): void {
  beforeAll(async () => {
    // Sessions that wait for the second one are parked.
    stub = await openStubFleet({ accounts: ['max-1', 'max-2'], walled: ['max-2'], maxSessions: 10 })
    attacker = await Attacker.connect(stub.address)
    elsewhere = join(stub.fleet.dir, 'elsewhere')
    mkdirSync(elsewhere)
    await stub.start(['alpha', 'beta'])
  })
  afterAll(async () => {
    await attacker.close()
    await stub.close()
  })
}

export const sessionInput = (name: string): Record<string, unknown> => ({
  ...{ name, pool: 'main', sessionId: '0b0b5b0e-9d4f-4c6e-8f1c-0d6f8f6f0a11', host: stub.home.hostId },
  ...{ agent: 'claude-code', model: null, cwd: elsewhere, account: null, pinned: false, priority: 0 },
  ...{ prompt: 'Run my hooks.', continues: false, timing: {} },
})

export const describeSession = (name: string) =>
  stub.client.workflow.getHandle(sessionWorkflowId(name)).query(sessionQueries.describe)

/** Nothing was launched in the attacker's folder, and no workflow of ours ever failed a task. */
export async function expectUnharmed(): Promise<void> {
  const record = join(stub.home.sessions, 'evil')
  expect(existsSync(record), record).toBe(false)
  for (const { pid } of stub.agents(['max-1'])) expect(readlinkSync(`/proc/${pid}/cwd`)).not.toBe(elsewhere)
  for (const id of [sessionWorkflowId('alpha'), sessionWorkflowId('beta'), poolWorkflowId('main')]) {
    expect(await attacker.statusOf(id)).toBe('RUNNING')
    const failed = (await attacker.eventsOf(id)).filter(
      ({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    )
    expect(failed, id).toEqual([])
  }
  expect(await describeSession('alpha')).toMatchObject({ attention: null, cwd: stub.fleet.world.cwd })
}
