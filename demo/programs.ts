/** The programs of the demonstration. Paths are as seen from the built file, `dist/demo/main.js`: it runs the built command. */
import { existsSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findInstalledAgent } from '../host/process/installedAgent.js'

/** The `outpool` command. */
export const bin = fileURLToPath(new URL('../client/bin.js', import.meta.url))

/** As short as it can be written in the current folder. */
export function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith('..') ? path : fromHere
}

/** Where a clone has its programs, among them the agent program that package.json pins. */
const ownPrograms = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))

/** Whether this is a clone, which `npm link` would put on a person's PATH: a package has no build script. */
export const isClone = existsSync(new URL('../../build.mjs', import.meta.url))

export const agent = 'claude-code'

/**
 * The person's own program, or else the one of the clone, which `npm run` puts on PATH before a person's. `file` is null if there is
 * neither. Throws ConfigError.
 */
export function findAgentProgram(config: string | null): { command: string; file: string | null } {
  const { command, file } = findInstalledAgent(agent, { config, ignored: [ownPrograms] })
  if (file !== null) return { command, file }
  const pinned = join(ownPrograms, 'claude')
  return { command, file: existsSync(pinned) ? realpathSync(pinned) : null }
}
