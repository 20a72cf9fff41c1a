/** Where Claude Code stores its files. In the default set-up `.claude.json` is beside the config dir, otherwise in it. */
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { AgentCommand, Place } from '../adapter/place.js'

/** The home folder that a process in this place sees. */
const homeOf = (place: Place): string => place.env['HOME'] ?? homedir()

/** Whether the place is `~/.claude` itself, which must run without CLAUDE_CONFIG_DIR, because that moves `.claude.json`. */
export function isDefaultSetup(place: Place): boolean {
  return resolveRealPath(join(homeOf(place), '.claude')) === resolveRealPath(place.configDir)
}

/** The command with which a person runs the program at this place. */
export const manualCommand = (place: Place, { command }: AgentCommand): string =>
  isDefaultSetup(place) ? command : `CLAUDE_CONFIG_DIR=${place.configDir} ${command}`

/** The file that holds account, trust and cached usage. */
export function globalFile(place: Place): string {
  return isDefaultSetup(place) ? join(homeOf(place), '.claude.json') : join(place.configDir, '.claude.json')
}

export const projectsFolder = (place: Place): string => join(place.configDir, 'projects')
export const liveFolder = (place: Place): string => join(place.configDir, 'sessions')

/** The path with links resolved, as far as it exists. */
export function resolveRealPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(resolveRealPath(parent), basename(path))
  }
}

/** Ids become parts of file names, so nothing that could lead out of a folder is accepted. */
export const isSessionId = (id: string): boolean => /^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/.test(id)
