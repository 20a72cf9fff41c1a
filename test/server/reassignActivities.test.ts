/**
 * A worker that was killed, and the next one: on a real engine, with the killed one's polling done by hand.
 */
import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common'
import { NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostQueue, searchAttributes } from '../../policy/ids.js'
import { workerIdentity } from '../../worker/connection/identity.js'
import { PendingResults } from '../../worker/connection/pendingResults.js'
import { reassignActivities } from '../../worker/connection/reassignActivities.js'
import { workflowState } from '../../worker/workflowState.js'
import { type DevServer, sharedServer } from '../../lab/engine/engine.js'
import { until } from '../../lab/until.js'

const host = 'host-1'
const sessionCount = 3

let server: DevServer
let native: NativeConnection
let connection: Connection
let client: Client
let worker: Worker
let running: Promise<void>

beforeAll(async () => {
  server = await sharedServer()
  native = await NativeConnection.connect(server.connectOptions)
  connection = await Connection.connect(server.connectOptions)
  client = new Client({ connection, namespace: server.namespace })
  worker = await Worker.create({
    ...{ connection: native, namespace: server.namespace, taskQueue: 'waitInWatch' },
    workflowsPath: new URL('../../lab/engine/watchWorkflow.ts', import.meta.url).pathname,
  })
  running = worker.run()
})

afterAll(async () => {
  worker.shutdown()
  await running
  await connection.close()
  await native.close()
  await server.stop()
})

const startSession = (of: string) =>
  client.workflow.start('waitInWatch', {
    ...{ taskQueue: 'waitInWatch', workflowId: `session/${randomUUID()}`, args: [hostQueue(of)] },
    typedSearchAttributes: new TypedSearchAttributes([
      { key: defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD), value: of },
    ]),
  })

/**
 * Takes one step of the host, as a worker of this identity would, and does nothing with it. Returns the
 * number of the attempt.
 */
async function begin(of: string, identity: string): Promise<number> {
  const { namespace } = server
  const taskQueue = { name: hostQueue(of) }
  const task = await connection.withDeadline(Date.now() + 60_000, () =>
    client.workflowService.pollActivityTaskQueue({ namespace, taskQueue, identity }),
  )
  return task.attempt
}

const untilListed = (of: string, count: number): Promise<unknown> =>
  until(
    'the sessions in the list',
    () => client.workflow.count(`${searchAttributes.host} = '${of}'`),
    (found) => found.count === count,
  )

describe('law 7: a worker that comes back', () => {
  it('law 7: gets every activity that the killed one had begun again at once', async () => {
    for (let n = 0; n < sessionCount; n++) await startSession(host)
    for (let n = 0; n < sessionCount; n++) expect(await begin(host, `1@${host}`)).toBe(1)
    await untilListed(host, sessionCount)
    expect(await reassignActivities(client, host)).toBe(sessionCount)
    // Well before the hour of their heartbeats and the ten minutes of their retries: a poll waits for a
    // minute at most.
    for (let n = 0; n < sessionCount; n++) expect(await begin(host, workerIdentity(host))).toBe(2)
    // What it has begun itself by then is left alone.
    expect(await reassignActivities(client, host)).toBe(0)
    // After a broken connection, what it knows nothing of was lost on the way.
    expect(await reassignActivities(client, host, new PendingResults())).toBe(sessionCount)
  })

  it('law 7: is distinguished from its predecessor although it has the same process id, as in every container', async () => {
    const before = workerIdentity(host).replace(/\.[0-9a-f]{12}\./, '.000000000000.')
    expect(before).toMatch(new RegExp(`^${process.pid}\\.`))
    await startSession('host-4')
    expect(await begin('host-4', before.replace(host, 'host-4'))).toBe(1)
    await untilListed('host-4', 1)
    expect(await reassignActivities(client, 'host-4')).toBe(1)
  })

  it('law 7: leaves the activities of another host alone', async () => {
    await startSession('host-2')
    expect(await begin('host-2', '1@host-2')).toBe(1)
    await untilListed('host-2', 1)
    expect(await reassignActivities(client, host)).toBe(0)
  })
})

it('law 5: asks the engine what may be deleted: for a running session, one that ended, and one that it does not know', async () => {
  const { workflowId } = await startSession('host-3')
  const session = workflowId.slice('session/'.length)
  expect(await workflowState(client, session)).toBe('running')
  await client.workflow.getHandle(workflowId).terminate()
  expect(await workflowState(client, session)).toBe('over')
  expect(await workflowState(client, 'never-was')).toBe('over')
  // A missing namespace says nothing about the session.
  const elsewhere = new Client({ connection, namespace: 'elsewhere' })
  expect(await workflowState(elsewhere, session)).toBe('unknown')
})
