/** Finds the file: --config, OUTPOOL_CONFIG, ./outpool.yaml, the user's config folder. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ConfigError } from '../errors.js'

export interface ConfigSource {
  /** As given by --config. */
  path?: string | undefined
  env?: NodeJS.ProcessEnv
  cwd?: string
}

export const configFileName = 'outpool.yaml'

/** Absolute path of the file to read. Throws ConfigError if there is none. */
export function findConfig({ path, env = process.env, cwd = process.cwd() }: ConfigSource = {}): string {
  const named = nonEmpty(path) ?? nonEmpty(env['OUTPOOL_CONFIG'])
  if (named !== undefined) return resolve(cwd, named)
  const usual = [resolve(cwd, configFileName), join(userConfigFolder(env), configFileName)]
  const found = usual.find((candidate) => existsSync(candidate))
  if (found !== undefined) return found
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

/** The user's config folder for Outpool (XDG). */
function userConfigFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(
    resolve(nonEmpty(env['XDG_CONFIG_HOME']) ?? join(env['HOME'] ?? homedir(), '.config')),
    'outpool',
  )
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)
