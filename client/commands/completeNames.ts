/** The hidden `outpool __complete KIND`: names for the shell, one per line. Answers while the user types, so it does not ask the engine. */
import { readdirSync } from 'node:fs'
import { openHome } from '../../config/state/home.js'
import { namePattern } from '../../policy/ids.js'
import { writeText } from '../output/terminal.js'

export async function completeNames([kind]: readonly string[]): Promise<void> {
  const names = kind === 'session' ? sessionNames() : kind === undefined ? [] : await configured(kind)
  if (names.length > 0) writeText(process.stdout, `${names.join('\n')}\n`)
}

/** The sessions that have a folder on this host. */
function sessionNames(): string[] {
  try {
    return readdirSync(openHome().sessions)
      .filter((name) => namePattern.test(name))
      .sort()
  } catch {
    return []
  }
}

/** Nothing if the configuration is wrong or missing; the command itself reports why. */
async function configured(kind: string): Promise<string[]> {
  const { loadConfig } = await import('../../config/load/load.js')
  try {
    const { pool, agents, services, tasks } = loadConfig()
    if (kind === 'account') return pool.accounts.map(({ name }) => name)
    if (kind === 'agent') return Object.keys(agents)
    if (kind === 'service') return services.map(({ name }) => name)
    return kind === 'task' ? tasks.map(({ name }) => name) : []
  } catch {
    return []
  }
}
