/** A namespace that was just created, or never set up, on a real engine. */
import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EngineSetupError } from '../../worker/errors.js'
import { isTransient, retryTransient } from '../../worker/engine/retryTransient.js'
import { assertSetUp, setUpEngine } from '../../worker/engine/setup.js'
import { type DevServer, devServer } from '../../lab/engine/engine.js'
import { until } from '../../lab/until.js'

const day = 86_400_000

let server: DevServer
let connection: Connection

beforeAll(async () => {
  server = await devServer()
  connection = await Connection.connect(server.connectOptions)
  await connection.workflowService.registerNamespace({
    namespace: 'fresh',
    workflowExecutionRetentionPeriod: msToTs(30 * day),
  })
  await until(
    'the namespace',
    () => connection.workflowService.describeNamespace({ namespace: 'fresh' }),
    () => true,
  )
})
afterAll(async () => {
  await connection.close()
  await server.stop()
})

const setUp = (of: Connection): Promise<void> =>
  setUpEngine({ connection: of, namespace: 'fresh', own: false, finished: 30 * day, say: () => undefined })

describe('a namespace of the user’s own', () => {
  it('that was never set up, or does not exist, is reported to a worker with what to do', async () => {
    for (const namespace of ['fresh', 'nowhere']) {
      const error: unknown = await assertSetUp(connection, namespace).catch((thrown: unknown) => thrown)
      if (!(error instanceof EngineSetupError)) throw error
      expect(error.message).toContain(namespace)
      expect(error.remedy).toContain('outpool up')
    }
  })

  it('is ready only once a query that uses its search attributes is answered: they are listed before that', async () => {
    const { workflowService } = connection
    // The errors of parts of a bigger engine that do not know them yet, and of one that is restarting.
    const refused: unknown = await workflowService
      .countWorkflowExecutions({ namespace: 'fresh', query: "OutpoolHost = 'x'" })
      .catch((thrown: unknown) => thrown)
    expect(isTransient(refused)).toBe(true)
    const real = workflowService.countWorkflowExecutions.bind(workflowService)
    let late = 5
    let answered = 0
    workflowService.countWorkflowExecutions = (async (request: Parameters<typeof real>[0]) => {
      late -= 1
      if (late > 0) throw refused
      answered += 1
      return await real(request)
    }) as typeof workflowService.countWorkflowExecutions
    try {
      await setUp(connection)
    } finally {
      workflowService.countWorkflowExecutions = real
    }
    expect(answered).toBe(1)
    await assertSetUp(connection, 'fresh')
  })

  it('a permanent error is reported at once', async () => {
    let tries = 0
    const failing = retryTransient(() => {
      tries += 1
      return Promise.reject(new Error('no'))
    })
    await expect(failing).rejects.toThrow('no')
    expect(tries).toBe(1)
  })
})
