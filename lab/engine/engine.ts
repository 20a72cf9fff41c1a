/** Real servers for tests, started through the product's own code, without the user's usual cache. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { openHome, type Home } from '../../config/state/home.js'
import { openEngine, type ConnectOptions, type Engine } from '../../worker/engine/index.js'
import { ownEngineOnly } from './ownEngineOnly.js'
import { endNamespace, newNamespace } from './sharedEngine.js'
import { testPorts } from './testPorts.js'
import { obtainTestServer } from './testServer.js'

/** The path of Temporal's server with virtual time, installed once per machine. */
const timeSkippingServer = (): Promise<string> => obtainTestServer(process.env)

/**
 * A server with virtual time, ready. Time is global in it: use one per test file, and call `teardown()` at
 * its end.
 */
export async function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const path = await timeSkippingServer()
  return TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  })
}

export interface DevServer {
  home: Home
  engine: Engine
  address: string
  namespace: string
  uiUrl: string | null
  connectOptions: ConnectOptions
  /** Ends the server and, if the folder was made for it, removes its home. */
  stop: () => Promise<void>
}

interface DevServerOptions {
  /** Its OUTPOOL_HOME. Default: a new one. */
  dir?: string
  /** Settings of Temporal that name another engine than the embedded one. */
  settings?: Record<string, string>
}

/** A new home with a new namespace of the engine that the tests of a run share. */
export async function sharedServer(): Promise<DevServer> {
  const settings = await newNamespace()
  const server = await devServer({ settings })
  return {
    ...server,
    stop: async () => {
      await endNamespace(settings.TEMPORAL_NAMESPACE)
      await server.stop()
    },
  }
}

/** A real embedded engine on free ports, set up and supervised as `outpool up` does it. */
export async function devServer({ dir, settings = {} }: DevServerOptions = {}): Promise<DevServer> {
  const made = dir ?? (await mkdtemp(join(tmpdir(), 'outpool-test-')))
  const home = openHome({ ...process.env, OUTPOOL_HOME: made })
  const engine = await openEngine({
    home,
    env: { ...ownEngineOnly(), ...settings },
    say: () => undefined,
    firstPorts: testPorts,
  })
  const { endpoint, connectOptions } = engine
  return {
    home,
    engine,
    address: endpoint.address,
    namespace: endpoint.namespace,
    uiUrl: endpoint.uiUrl,
    connectOptions,
    stop: async () => {
      await engine.stop()
      if (dir === undefined) await rm(made, { recursive: true, force: true })
    },
  }
}
