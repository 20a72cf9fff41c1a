/** Opens the engine: finds it, starts or adopts it, sets it up and keeps it alive. */
import type { Home } from '../../config/state/home.js'
import type { EngineEndpoint } from '../../config/state/liveFile.js'
import { engineRetention, type Retention } from '../../policy/retention.js'
import type { Attempt } from '../errors.js'
import { namedEngine, reach, type ConnectOptions } from './connect.js'
import { adoptEmbedded, endEmbedded, serverLogFile, startEmbedded, type EmbeddedServer } from './embedded.js'
import { freeSpace, littleSpace } from './diagnose.js'
import { removeEndpoint, repairEndpoint, writeEndpoint } from './endpointFile.js'
import { locateTemporal, obtainTemporal, type FoundProgram } from './find.js'
import type { Say } from './install.js'
import { exclusive } from './lock.js'
import { usualPorts } from './ports.js'
import { trimLog } from './serverLog.js'
import { setUpEngine } from './setup.js'
import { superviseEngine, type SupervisionTiming } from './supervise.js'
import { messageOf } from '../../policy/errorFacts.js'

export { type ConnectOptions } from './connect.js'

export interface Engine {
  endpoint: EngineEndpoint
  /** True for the embedded engine, which ends with us; false for one that the user runs. */
  own: boolean
  /** For NativeConnection.connect and Connection.connect. */
  connectOptions: ConnectOptions
  /** Removes engine.json and ends an embedded engine, but not one that the user runs. Call it last. */
  stop: () => Promise<void>
}

export interface OpenEngine {
  home: Home
  env: NodeJS.ProcessEnv
  /** Receives progress and problems, one line at a time. */
  say: Say
  /** Called when the embedded engine has ended and is being restarted. */
  onDown?: () => void
  /** Called when it runs again, at the same address. */
  onUp?: () => void
  /** How long an embedded engine keeps finished workflows, and how much of its log. */
  keep?: Pick<Retention, 'finished' | 'log'>
  /** Whether an embedded engine serves Temporal's Web UI. Default: false, since any page in a browser may call it. */
  ui?: boolean
  /** Where the search for free ports begins; 7233 and 8233 by default. */
  firstPorts?: { grpc: number; ui: number }
  timing?: Partial<SupervisionTiming>
  /** When it aborts, an embedded engine that is being started is ended. */
  signal?: AbortSignal
}

/** How long an engine that the user runs has to answer. Milliseconds. */
export const reachWithin = 10_000

/** How often `engine.json` is read again if nothing else watches the engine. Milliseconds. */
const repairEvery = 15_000

/**
 * Finds the engine, starts or adopts the embedded one if none is named, sets it up and keeps it alive.
 * Throws EngineSettingsError, EngineUnreachableError, EngineSetupError, EngineStartError, ProgramNotFoundError or
 * WrongProgramError.
 */
export async function openEngine(open: OpenEngine): Promise<Engine> {
  const named = namedEngine(open.env)
  if (named === null) return openEmbedded(open)
  const { options, namespace } = named
  await setUpAt(open, options, namespace, false)
  const endpoint = { address: options.address, namespace, uiUrl: null, pid: null }
  writeEndpoint(open.home, endpoint)
  const repair = (): void => repairEndpoint(open.home, endpoint, open.say)
  const repairing = setInterval(repair, open.timing?.callEvery ?? repairEvery).unref()
  return {
    endpoint,
    own: false,
    connectOptions: options,
    stop: () => {
      clearInterval(repairing)
      removeEndpoint(open.home)
      return Promise.resolve()
    },
  }
}

async function openEmbedded(open: OpenEngine): Promise<Engine> {
  const { home, env, say, onDown, onUp, timing } = open
  const first = await startOrAdopt(open)
  const connectOptions: ConnectOptions = { address: first.endpoint.address }
  try {
    await setUpAt(open, connectOptions, first.endpoint.namespace, true)
    writeEndpoint(home, first.endpoint)
  } catch (error) {
    await endEmbedded(first.process)
    throw error
  }
  const runMaintenance = createMaintenance(open)
  const supervised = superviseEngine({
    first,
    restart: async (signal) => {
      // Searched again each time, since the program may have been removed or replaced meanwhile.
      const { path } = await obtainTemporal({ env, say })
      const server = await startEmbedded({ home, program: path, say, ports: first.ports, signal })
      engine.endpoint = server.endpoint
      // The address in the file is still right, so a failure to write it must not end the server.
      try {
        writeEndpoint(home, server.endpoint)
      } catch (error) {
        say(`${home.engineFile} could not be updated: ${messageOf(error)}`)
      }
      return server
    },
    say,
    housekeeping: () => {
      runMaintenance()
      repairEndpoint(home, engine.endpoint, say)
    },
    ...(onDown === undefined ? {} : { onDown }),
    ...(onUp === undefined ? {} : { onUp }),
    ...(timing === undefined ? {} : { timing }),
  })
  let stopped: Promise<void> | undefined
  const engine: Engine = {
    endpoint: first.endpoint,
    own: true,
    connectOptions,
    stop: () => (stopped ??= supervised.stop().then(() => removeEndpoint(home))),
  }
  return engine
}

/** Trims the log, and warns of a full disk: an engine on a full disk still answers, but can store nothing. */
function createMaintenance({ home, say, keep = engineRetention }: OpenEngine): () => void {
  let wasFull = false
  return () => {
    trimLog(serverLogFile(home), keep.log)
    const full = freeSpace(home.database) < littleSpace
    if (full && !wasFull)
      say(
        `The disk that holds ${home.database} is full, so the engine can store nothing until some space is freed.`,
      )
    wasFull = full
  }
}

/** Only one process at a time searches and starts: two servers would corrupt one database. */
async function startOrAdopt(open: OpenEngine): Promise<EmbeddedServer> {
  const { home, env, say, ui = false, firstPorts = usualPorts, signal } = open
  const release = await exclusive(`${home.dir}/engine`, () =>
    say('Another outpool is starting the engine of this home.'),
  )
  try {
    const adopted = await adoptEmbedded(home, say)
    if (adopted !== null) {
      say(`Found the engine of this home running at ${adopted.endpoint.address}.`)
      if (ui && adopted.ports.ui === null)
        say('It runs without the Web UI. Stop this outpool, which ends the engine, then start it with --ui.')
      return adopted
    }
    const { path } = await obtainTemporal({ env, say })
    const wanted = { grpc: firstPorts.grpc, ui: ui ? firstPorts.ui : null }
    return await startEmbedded({
      ...{ home, program: path, say, firstPorts: wanted },
      ...(signal === undefined ? {} : { signal }),
    })
  } finally {
    await release()
  }
}

async function setUpAt(
  { say, keep = engineRetention }: OpenEngine,
  options: ConnectOptions,
  namespace: string,
  own: boolean,
): Promise<void> {
  const connection = await reach(options, reachWithin)
  try {
    await setUpEngine({ connection, namespace, own, finished: keep.finished, say })
  } finally {
    await connection.close()
  }
}

/** What `openEngine` would use; found without installing or starting anything. */
export type EngineChoice =
  | { kind: 'named'; address: string; namespace: string }
  | { kind: 'embedded'; program: FoundProgram | null; attempts: Attempt[] }

/** For `doctor`. `program` null: it would be downloaded. Throws EngineSettingsError or WrongProgramError. */
export async function findEngine(env: NodeJS.ProcessEnv): Promise<EngineChoice> {
  const named = namedEngine(env)
  if (named !== null) return { kind: 'named', address: named.options.address, namespace: named.namespace }
  const { found, attempts } = await locateTemporal({ env, say: () => undefined })
  return { kind: 'embedded', program: found, attempts }
}
