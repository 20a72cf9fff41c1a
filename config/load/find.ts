/**
 * Finds the file: --config, OUTPOOL_CONFIG, the one that the running worker uses, the user's config folder, and last the current
 * folder's, if it is trusted.
 */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ConfigError } from '../errors.js'
import { readConfigInUse } from '../state/configInUse.js'
import { assertTrustedConfig, configFileName, isTrustedConfig, localConfig } from './localFile.js'
import { missingRemedy } from './text.js'

export interface ConfigSource {
  /** As given by --config. */
  path?: string | undefined
  /** Whether the file at `path` is used only with the content that a person trusts. */
  byContent?: boolean
  env?: NodeJS.ProcessEnv
  cwd?: string
}

export interface ConfigLocation {
  /** Absolute. */
  file: string
  by: '--config' | 'OUTPOOL_CONFIG' | 'running-worker' | 'user' | 'folder'
  /** Whether it is used only with the content that a person trusts, since no person named it. */
  byContent: boolean
}

/** The file to read, and what named it. Throws ConfigError if there is none. */
export function locateConfig({
  path,
  byContent = false,
  env = process.env,
  cwd = process.cwd(),
}: ConfigSource = {}): ConfigLocation {
  const given = nonEmpty(path)
  if (given !== undefined) return checked({ file: resolve(cwd, given), by: '--config', byContent }, env)
  const named = nonEmpty(env['OUTPOOL_CONFIG'])
  if (named !== undefined) return { file: resolve(cwd, named), by: 'OUTPOOL_CONFIG', byContent: false }
  const inUse = readConfigInUse(env)
  if (inUse !== null && existsSync(inUse.file))
    return checked({ file: inUse.file, by: 'running-worker', byContent: inUse.byContent }, env)
  const own = userConfigFile(env)
  if (existsSync(own)) return { file: own, by: 'user', byContent: false }
  const local = localConfig(cwd)
  if (local === null)
    throw new ConfigError([
      {
        ...{ file: configFileName, line: null, column: null, problem: `there is no configuration at ${own}` },
        remedy: 'run `outpool init` to write one, or name one with --config or OUTPOOL_CONFIG',
      },
    ])
  return checked({ file: local, by: 'folder', byContent: true }, env)
}

/**
 * Where a first configuration is written, or the one that exists is: without a name, in the user's config folder, so that the next
 * terminal finds it whatever its current folder is.
 */
export function newConfigFile(source: ConfigSource = {}): string {
  const { env = process.env, cwd = process.cwd() } = source
  const named = namedPath(source)
  if (named !== undefined) return resolve(cwd, named)
  const inUse = readConfigInUse(env)
  return inUse !== null && existsSync(inUse.file) ? inUse.file : userConfigFile(env)
}

/** Throws ConfigError if it would be used only as it is trusted, and is not. */
function checked(location: ConfigLocation, env: NodeJS.ProcessEnv): ConfigLocation {
  if (location.byContent) assertTrustedConfig(location.file, env)
  return location
}

/** A file in the current folder that is not used: a person who is in that folder may expect it to be. */
export interface PassedOverConfig {
  local: string
  isTrusted: boolean
  /** What is used instead; null if nothing is. */
  used: ConfigLocation | null
}

/** Null if the current folder has no such file, or if a person has named one. */
export function passedOverConfig(source: ConfigSource = {}): PassedOverConfig | null {
  const { env = process.env, cwd = process.cwd() } = source
  const local = localConfig(cwd)
  if (local === null || namedPath(source) !== undefined) return null
  const isTrusted = isTrustedConfig(local, env)
  try {
    const used = locateConfig(source)
    return used.file === local ? null : { local, isTrusted, used }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { local, isTrusted, used: null }
  }
}

const namedPath = ({ path, env = process.env }: ConfigSource): string | undefined =>
  nonEmpty(path) ?? nonEmpty(env['OUTPOOL_CONFIG'])

/**
 * For a command that needs no configuration. Throws ConfigError if --config or OUTPOOL_CONFIG names a file that does not exist.
 */
export function assertNamedConfig(source: ConfigSource = {}): void {
  const { cwd = process.cwd() } = source
  const named = namedPath(source)
  if (named === undefined || existsSync(resolve(cwd, named))) return
  throw new ConfigError([
    {
      ...{ file: resolve(cwd, named), line: null, column: null, problem: 'the configuration does not exist' },
      remedy: missingRemedy,
    },
  ])
}

/** The file in the user's config folder for Outpool (XDG). */
function userConfigFile(env: NodeJS.ProcessEnv = process.env): string {
  const folder = resolve(nonEmpty(env['XDG_CONFIG_HOME']) ?? join(env['HOME'] ?? homedir(), '.config'))
  return join(folder, 'outpool', configFileName)
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)
