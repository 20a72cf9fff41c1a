/** The worker's connection to an engine behind a tunnel or a load balancer: a real engine, behind a proxy. */
import { afterAll, beforeAll, it } from 'vitest'
import { BreakableProxy } from '../../lab/engine/breakableProxy.js'
import { type DevServer, sharedServer } from '../../lab/engine/engine.js'
import { until } from '../../lab/until.js'
import { WatchedConnection } from '../../worker/connection/connectionWatch.js'
import { endSilentConnections } from '../../worker/connection/silentConnections.js'

let server: DevServer
let cable: BreakableProxy

beforeAll(async () => {
  server = await sharedServer()
  cable = await BreakableProxy.open(server.address)
})
afterAll(async () => {
  await cable.close()
  await server.stop()
})

const call = (connection: WatchedConnection): Promise<unknown> =>
  connection.workflowService.describeNamespace({ namespace: server.namespace })

it('law 7: reaches the engine again after a connection that was accepted and never answered', async () => {
  endSilentConnections(cable.address, 500)
  const connection = await WatchedConnection.connect({ ...server.connectOptions, address: cable.address })
  await call(connection)
  cable.deafen()
  // Has no deadline, as the calls of the worker's client: it waits for the connection, and must not do so for ever.
  const waiting = call(connection)
  await until(
    'a connection that is not answered',
    () => Promise.resolve(cable.unanswered),
    (count) => count > 0,
  )
  cable.restore()
  await waiting
  await call(connection)
  await until(
    'the end of the connections that were given up',
    () => Promise.resolve(cable.unanswered),
    (count) => count === 0,
  )
  await connection.close()
})
