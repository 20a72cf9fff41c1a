/** The engine that Temporal's own settings name: TEMPORAL_ADDRESS and similar variables, and the profile file. */
import type { ConnectionOptions } from '@temporalio/client'
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig'

/** An engine that the user runs. */
export interface ConfiguredEngine {
  options: Pick<ConnectionOptions, 'tls' | 'metadata'> & { address: string; apiKey?: string }
  namespace: string
}

/** Null if they name no address. Throws the error of Temporal's library if they are wrong. */
export function configuredEngine(env: NodeJS.ProcessEnv = process.env): ConfiguredEngine | null {
  const settings = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  const profile = loadProfile(settings)
  if (profile.address === undefined || profile.address === '') {
    if (env['TEMPORAL_PROFILE'] === undefined) return null
    throw new Error(`profile ${env['TEMPORAL_PROFILE']} names no address`)
  }
  const { connectionOptions, namespace = 'default' } = toClientOptions(profile)
  const { tls, apiKey, metadata } = connectionOptions
  return {
    options: {
      address: profile.address,
      ...(tls === undefined || tls === null ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    },
    namespace,
  }
}

function loadProfile(settings: Record<string, string>): ReturnType<typeof loadClientConfigProfile> {
  try {
    return loadClientConfigProfile({ overrideEnvVars: settings })
  } catch (error) {
    // SDK 1.24 throws on a file without any profile, which is valid and names no engine.
    if (!(error instanceof TypeError) || settings['TEMPORAL_PROFILE'] !== undefined) throw error
    return loadClientConfigProfile({ overrideEnvVars: settings, disableFile: true })
  }
}
