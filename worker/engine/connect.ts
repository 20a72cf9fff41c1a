/** Connects to the engine: to the one that the user's Temporal settings name, else to the embedded one. */
import { Connection } from '@temporalio/client'
import type { NativeConnectionOptions } from '@temporalio/worker'
import { connectionProblem } from '../../config/load/connectionProblem.js'
import { configuredEngine as engineOfSettings } from '../../config/load/temporalSettings.js'
import { EngineSettingsError, EngineUnreachableError } from '../errors.js'
import { messageOf } from '../../policy/errorFacts.js'

/** Options that the worker's and the client's connections have in common. */
export interface ConnectOptions extends Pick<NativeConnectionOptions, 'tls' | 'metadata'> {
  address: string
  apiKey?: string
}

export interface NamedEngine {
  options: ConnectOptions
  namespace: string
}

/**
 * The engine that TEMPORAL_ADDRESS, TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE or the default profile file names, or null
 * if none names an address. Throws EngineSettingsError if they cannot be read or are contradictory.
 */
export function namedEngine(env: NodeJS.ProcessEnv): NamedEngine | null {
  try {
    return engineOfSettings(env)
  } catch (error) {
    throw new EngineSettingsError(
      `Your Temporal settings cannot be used: ${messageOf(error)}`,
      'Correct TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE or the file they name, or unset them for the embedded engine.',
      { cause: error },
    )
  }
}

/**
 * The library shares the state of an address between the connections of a process: its backoff, and a connection in
 * progress to a program that accepts it and stays silent. A check of whether an engine answers must not inherit either.
 */
export const ownSubchannels = { 'grpc.use_local_subchannel_pool': 1 }

/** Opens a connection and makes sure that the engine answers. Throws EngineUnreachableError. `within` in ms. */
export async function reach(options: ConnectOptions, within: number): Promise<Connection> {
  const connection = Connection.lazy({ ...options, connectTimeout: within, channelArgs: ownSubchannels })
  try {
    await connection.ensureConnected()
    return connection
  } catch (error) {
    // Otherwise it would go on trying to connect.
    await connection.close()
    const problem = await connectionProblem(options, error)
    throw new EngineUnreachableError(
      problem === null
        ? `The engine at ${options.address} did not answer within ${within / 1000} s: ${messageOf(error)}`
        : `The engine at ${options.address} ${problem.what}.`,
      `${problem === null ? 'Start it, or correct TEMPORAL_ADDRESS or your Temporal profile' : capitalised(problem.remedy)}; ` +
        'without Temporal settings, `outpool up` runs its own engine.',
      { cause: error },
    )
  }
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** Whether the engine answers and has this namespace, within `within` ms. */
export async function answers(options: ConnectOptions, namespace: string, within: number): Promise<boolean> {
  const connection = Connection.lazy({ ...options, connectTimeout: within, channelArgs: ownSubchannels })
  try {
    await connection.ensureConnected()
    return await answersOn(connection, namespace, within)
  } catch {
    return false
  } finally {
    await connection.close()
  }
}

/** The same on an open connection. A namespace is read from the engine's database. */
export async function answersOn(connection: Connection, namespace: string, within: number): Promise<boolean> {
  try {
    const { workflowService } = connection
    await connection.withDeadline(Date.now() + within, () => workflowService.describeNamespace({ namespace }))
    return true
  } catch {
    return false
  }
}
