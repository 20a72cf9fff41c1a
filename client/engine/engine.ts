/** How a command reaches the engine: at the endpoint that `outpool up` wrote, else at the one in Temporal's own settings. */
import { Client, Connection, ServiceError, isGrpcServiceError } from '@temporalio/client'
import { grpcCode, grpcStatus } from '../../config/engine/grpc.js'
import { sealedClientOptions } from '../../config/seal/client.js'
import { LiveSealKeys } from '../../config/seal/liveKeys.js'
import type { Home } from '../../config/state/home.js'
import { isAlive } from '../../config/state/isAlive.js'
import { readEngine } from '../../config/state/liveFile.js'
import { connectionProblem } from '../../config/load/connectionProblem.js'
import { type ConfiguredEngine, configuredEngine } from '../../config/load/temporalSettings.js'
import { EngineError, FailedError } from '../errors.js'
import { messageOf } from '../../policy/errorFacts.js'

/** A running engine answers in milliseconds, and one that is gone refuses at once; on a host whose cores are all busy it may take seconds. */
const connectTimeoutMs = 10_000
const callTimeoutMs = 30_000

export interface Engine {
  client: Client
  namespace: string
  /** Runs calls with another deadline. */
  within<T>(ms: number, calls: () => Promise<T>): Promise<T>
}

interface Endpoint {
  options: ConfiguredEngine['options']
  namespace: string
  /** Whether Temporal's own settings name it. */
  isNamed: boolean
  /** Where the address comes from, for the message if no engine answers there. */
  source: string
}

/**
 * Connects, runs `use`, closes. Throws EngineError if there is no engine or it does not answer, and SealKeyError without the keys;
 * passes on everything else that `use` throws.
 */
export async function withEngine<T>(home: Home, use: (engine: Engine) => Promise<T>): Promise<T> {
  const endpoint = findEndpoint(home)
  const { address } = endpoint.options
  let connection: Connection
  try {
    connection = await Connection.connect({ ...endpoint.options, connectTimeout: connectTimeoutMs })
  } catch (error) {
    const problem = await connectionProblem(endpoint.options, error)
    throw new EngineError(
      problem === null
        ? `no Temporal server answers at ${address} (named by ${endpoint.source})`
        : `the Temporal server at ${address} (named by ${endpoint.source}) ${problem.what}`,
      endpoint.isNamed && problem !== null
        ? problem.remedy
        : 'start it with `outpool up`, or correct the address',
      { cause: error },
    )
  }
  const within = <R>(ms: number, calls: () => Promise<R>): Promise<R> =>
    connection.withDeadline(Date.now() + ms, calls)
  const { namespace } = endpoint
  try {
    const client = new Client({
      connection,
      namespace,
      ...sealedClientOptions(new LiveSealKeys(home), namespace),
    })
    return await within(callTimeoutMs, () => use({ client, namespace, within }))
  } catch (error) {
    throw toCommandError(error, address, namespace)
  } finally {
    await connection.close().catch(() => undefined)
  }
}

function findEndpoint(home: Home): Endpoint {
  const known = readEngine(home)
  const alive = known !== null && (known.pid === null || isAlive(known.pid))
  if (known !== null && alive) {
    // An engine that the user runs may need credentials, which only Temporal's settings have.
    const options = known.pid === null ? (readConfiguredEngine()?.options ?? {}) : {}
    return {
      options: { ...options, address: known.address },
      namespace: known.namespace,
      isNamed: known.pid === null,
      source: home.engineFile,
    }
  }
  const own = readConfiguredEngine()
  if (own !== null) return own
  if (known !== null)
    throw new EngineError(
      `the Temporal server of ${home.dir} (pid ${String(known.pid)}, ${known.address}) is no longer running`,
      'start it again with `outpool up`; sessions and their panes are kept',
    )
  throw new EngineError(`no Temporal server is running for ${home.dir}`, 'start one with `outpool up`')
}

function readConfiguredEngine(): Endpoint | null {
  try {
    const named = configuredEngine()
    return named === null ? null : { ...named, isNamed: true, source: "Temporal's own settings" }
  } catch (error) {
    const why = messageOf(error)
    throw new EngineError(
      `Temporal's own settings cannot be used: ${why}`,
      'correct the TEMPORAL_ variables or the profile file',
      { cause: error },
    )
  }
}

const detailsOf = (error: unknown): string => {
  const cause = error instanceof ServiceError ? error.cause : error
  return isGrpcServiceError(cause) ? cause.details : ''
}

function toCommandError(error: unknown, address: string, namespace: string): unknown {
  const number = grpcCode(error)
  const options = { cause: error }
  if (number === grpcStatus.unavailable || number === grpcStatus.deadlineExceeded)
    return new EngineError(
      `the Temporal server at ${address} stopped answering`,
      'start it again with `outpool up`',
      options,
    )
  if (number === grpcStatus.unauthenticated)
    return new EngineError(
      `the Temporal server at ${address} refuses the credentials`,
      "correct Temporal's own settings",
      options,
    )
  if (number === grpcStatus.notFound && /namespace/i.test(detailsOf(error)))
    return new EngineError(
      `the Temporal server at ${address} has no namespace ${namespace}`,
      'set it up with `outpool up`',
      options,
    )
  if (number === grpcStatus.invalidArgument && /search attribute/i.test(detailsOf(error)))
    return new FailedError(
      `the namespace ${namespace} at ${address} lacks Outpool's search attributes`,
      'set them up with `outpool up`',
      options,
    )
  return error
}
