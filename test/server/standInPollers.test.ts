/** When the pollers that stand in after an outage end: a real engine, behind a connection that can be stalled. */
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BreakableProxy } from '../../lab/engine/breakableProxy.js'
import { type DevServer, sharedServer } from '../../lab/engine/engine.js'
import { commonQueue, hostQueue } from '../../policy/ids.js'
import { workerIdentity } from '../../worker/connection/identity.js'
import { startStandInPollers } from '../../worker/connection/standInPollers.js'

const hostId = 'test-host'
const calmMs = 8_000
/** Longer than a check of the engine may take. */
const stallMs = 6_000

let server: DevServer
let cable: BreakableProxy
let direct: Connection
let stallable: Connection

beforeAll(async () => {
  server = await sharedServer()
  cable = await BreakableProxy.open(server.address)
  direct = await Connection.connect({ address: server.address })
  stallable = await Connection.connect({ address: cable.address })
})
afterAll(async () => {
  cable.restore()
  await Promise.all([direct.close(), stallable.close()])
  await cable.close()
  await server.stop()
})

/** Polls once on each queue, as the worker's own pollers do when they have resumed. */
async function pollAsWorker(signal: AbortSignal): Promise<void> {
  const { workflowService } = direct
  const { namespace } = server
  const identity = workerIdentity(hostId)
  await direct.withAbortSignal(signal, () =>
    direct.withDeadline(Date.now() + 60_000, () =>
      Promise.all([
        workflowService.pollActivityTaskQueue({
          ...{ namespace, identity, taskQueue: { name: hostQueue(hostId) } },
        }),
        workflowService.pollWorkflowTaskQueue({ namespace, identity, taskQueue: { name: commonQueue } }),
      ]),
    ),
  )
}

it('law 7: they outlast a second outage, and do not end as it does, when a task handed to them would be lost', async () => {
  const stopped = new AbortController()
  let endedAt: number | null = null
  const { over } = await startStandInPollers({
    ...{ connection: stallable, connectOptions: server.connectOptions, namespace: server.namespace },
    ...{ hostId, part: 1, signal: stopped.signal, isSuperseded: () => false, calmMs },
    makePollers: () =>
      Promise.resolve({
        done: Promise.resolve(),
        isRunning: () => endedAt === null,
        shutDown: () => (endedAt = performance.now()),
      }),
  })
  const polls = pollAsWorker(stopped.signal).catch(() => undefined)
  cable.stall()
  await delay(stallMs)
  expect(endedAt).toBeNull()
  const restoredAt = performance.now()
  cable.restore()
  await over
  // The last check that failed may have begun before the outage ended, but no earlier than this.
  expect(endedAt! - restoredAt).toBeGreaterThan(calmMs - 4_000)
  stopped.abort()
  await polls
})
