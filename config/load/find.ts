/** Finds the file: --config, OUTPOOL_CONFIG, the one that the running worker uses, ./outpool.yaml, the user's config folder. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ConfigError } from '../errors.js'
import { readConfigInUse } from '../state/configInUse.js'

export interface ConfigSource {
  /** As given by --config. */
  path?: string | undefined
  env?: NodeJS.ProcessEnv
  cwd?: string
}

const configFileName = 'outpool.yaml'

/** Absolute path of the file to read. Throws ConfigError if there is none. */
export const findConfig = (source: ConfigSource = {}): string => locateConfig(source).file

export interface ConfigLocation {
  /** Absolute. */
  file: string
  by: '--config' | 'OUTPOOL_CONFIG' | 'running-worker' | 'folder' | 'user'
}

/** The file to read, and what named it. Throws ConfigError if there is none. */
export function locateConfig({
  path,
  env = process.env,
  cwd = process.cwd(),
}: ConfigSource = {}): ConfigLocation {
  const given = nonEmpty(path)
  if (given !== undefined) return { file: resolve(cwd, given), by: '--config' }
  const named = nonEmpty(env['OUTPOOL_CONFIG'])
  if (named !== undefined) return { file: resolve(cwd, named), by: 'OUTPOOL_CONFIG' }
  const inUse = readConfigInUse(env)?.file
  if (inUse !== undefined && existsSync(inUse)) return { file: inUse, by: 'running-worker' }
  const local = resolve(cwd, configFileName)
  if (existsSync(local)) return { file: local, by: 'folder' }
  const own = userConfigFile(env)
  if (existsSync(own)) return { file: own, by: 'user' }
  const usual = [local, own]
  throw new ConfigError([
    {
      file: configFileName,
      line: null,
      column: null,
      problem: `there is no configuration at ${usual.join(' or ')}`,
      remedy: 'run `outpool init` to write one, or name one with --config or OUTPOOL_CONFIG',
    },
  ])
}

/**
 * Where a first configuration is written, or the one that exists is: without a name, in the user's config folder, so that the next
 * terminal finds it wherever it stands.
 */
export function newConfigFile(source: ConfigSource = {}): string {
  const { path, env = process.env, cwd = process.cwd() } = source
  const named = nonEmpty(path) ?? nonEmpty(env['OUTPOOL_CONFIG'])
  if (named !== undefined) return resolve(cwd, named)
  try {
    return locateConfig(source).file
  } catch {
    return userConfigFile(env)
  }
}

/** The file in the current folder that is not used because the running worker uses another one; null if there is none. */
export function passedOverConfig(source: ConfigSource = {}): { inUse: string; local: string } | null {
  const local = resolve(source.cwd ?? process.cwd(), configFileName)
  if (!existsSync(local)) return null
  const { file, by } = locateConfig(source)
  return by === 'running-worker' && file !== local ? { inUse: file, local } : null
}

/**
 * For a command that needs no configuration. Throws ConfigError if --config or OUTPOOL_CONFIG names a file that does not exist.
 */
export function assertNamedConfig({ path, env = process.env, cwd = process.cwd() }: ConfigSource = {}): void {
  const named = nonEmpty(path) ?? nonEmpty(env['OUTPOOL_CONFIG'])
  if (named === undefined || existsSync(resolve(cwd, named))) return
  throw new ConfigError([
    {
      ...{ file: resolve(cwd, named), line: null, column: null, problem: 'the configuration does not exist' },
      remedy: missingRemedy,
    },
  ])
}

export const missingRemedy =
  'name another file with --config or OUTPOOL_CONFIG, or run `outpool init` to write one'

/** The file in the user's config folder for Outpool (XDG). */
function userConfigFile(env: NodeJS.ProcessEnv = process.env): string {
  const folder = resolve(nonEmpty(env['XDG_CONFIG_HOME']) ?? join(env['HOME'] ?? homedir(), '.config'))
  return join(folder, 'outpool', configFileName)
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)
