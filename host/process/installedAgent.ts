/** The agent program that a person has installed, for what runs it outside of any session: the rehearsal and the demonstration. */
import { accessSync, constants, realpathSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { locateConfig } from '../../config/load/find.js'
import { loadConfig } from '../../config/load/load.js'
import { defaultCommands } from '../../config/load/resolve.js'

export interface InstalledAgent {
  /** As `outpool.yaml` names it; without a configuration, the program's usual name. */
  command: string
  /** The real path of its file; null if there is none. */
  file: string | null
}

interface Wanted {
  /** The configuration that a person named, or null. */
  config: string | null
  /** Instead of the configured one. */
  command?: string | null
  /** Folders of PATH that are not searched. */
  ignored?: readonly string[]
}

/** Throws ConfigError. */
export function findInstalledAgent(
  agent: string,
  { config, command: named = null, ignored = [] }: Wanted,
): InstalledAgent {
  const command = named ?? configuredCommand(agent, config) ?? defaultCommands[agent] ?? agent
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !ignored.includes(folder))
  const candidates = command.includes('/')
    ? [resolve(command)]
    : folders.map((folder) => join(folder, command))
  const found = candidates.find(isRunnable)
  return { command, file: found === undefined ? null : realpathSync(found) }
}

/** Null without a configuration. */
function configuredCommand(agent: string, config: string | null): string | null {
  const source = config === null ? {} : { path: config }
  try {
    locateConfig(source)
  } catch {
    return null
  }
  return loadConfig(source).agents[agent]?.command ?? null
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
