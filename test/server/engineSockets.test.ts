/** The worker's connection to an engine behind a tunnel or a load balancer: a real engine, behind a proxy. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BreakableProxy } from '../../lab/engine/breakableProxy.js'
import { type DevServer, sharedServer } from '../../lab/engine/engine.js'
import { EngineUnreachableError } from '../../worker/errors.js'
import { answers, reach } from '../../worker/engine/connect.js'
import { until } from '../../lab/until.js'
import { watchConnection, WatchedConnection } from '../../worker/connection/connectionWatch.js'
import { EngineSockets } from '../../worker/connection/engineSockets.js'

let server: DevServer
let cable: BreakableProxy
let sockets: EngineSockets

beforeAll(async () => {
  server = await sharedServer()
  cable = await BreakableProxy.open(server.address)
  sockets = new EngineSockets(cable.address, 500)
})
afterAll(async () => {
  await cable.close()
  await server.stop()
})

const untilNoneIsUnanswered = () =>
  until(
    'the end of the connections that were given up',
    () => Promise.resolve(cable.unanswered),
    (count) => count === 0,
  )

it('a check of an engine that does not answer leaves no connection open', async () => {
  cable.deafen()
  try {
    expect(await answers({ address: cable.address }, 'default', 300)).toBe(false)
    await expect(reach({ address: cable.address }, 300)).rejects.toThrow(EngineUnreachableError)
  } finally {
    cable.restore()
  }
  await untilNoneIsUnanswered()
})

const call = (connection: WatchedConnection): Promise<unknown> =>
  connection.workflowService.describeNamespace({ namespace: server.namespace })

it('law 7: reaches the engine again after a connection that was accepted and never answered', async () => {
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
  await untilNoneIsUnanswered()
  await connection.close()
})

it('law 7: all of them can be ended, and the client connects again', async () => {
  const connection = await WatchedConnection.connect({ ...server.connectOptions, address: cable.address })
  await call(connection)
  let breaks = 0
  connection.onBreak(() => (breaks += 1), new AbortController().signal)
  sockets.endAll()
  await call(connection)
  expect(breaks).toBe(1)
  await connection.close()
})

it('law 7: a connection that gets no answer from an engine that answers on new ones is ended', async () => {
  const connectOptions = { ...server.connectOptions, address: cable.address }
  const connection = await WatchedConnection.connect(connectOptions)
  await call(connection)
  let stableAt = 0
  const watch = watchConnection({
    ...{ connection, connectOptions, namespace: server.namespace, answerTimeoutMs: 500 },
    onStable: (since) => (stableAt = since),
    onLost: () => undefined,
    onUnanswered: () => sockets.endAll(),
    onReconnect: () => Promise.resolve(),
  })
  cable.stallOpen()
  const stalledAt = performance.now()
  await until(
    'an answer on the connection',
    () => Promise.resolve(stableAt),
    (at) => at > stalledAt,
  )
  await watch.stop()
  await connection.close()
})
