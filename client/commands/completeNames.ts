/** The hidden `outpool __complete KIND`: names for the shell, one a line. Answers while the user types, so it asks no engine. */
import { readdirSync } from 'node:fs'
import { openHome } from '../../config/home.js'
import { namePattern } from '../../policy/ids.js'

export async function completeNames([kind]: readonly string[]): Promise<void> {
  const names =
    kind === 'session'
      ? sessionNames()
      : kind === 'account' || kind === 'agent' || kind === 'service'
        ? await configured(kind)
        : []
  if (names.length > 0) process.stdout.write(`${names.join('\n')}\n`)
}

/** Those that this host has had: each has its folder. */
function sessionNames(): string[] {
  try {
    return readdirSync(openHome().sessions)
      .filter((name) => namePattern.test(name))
      .sort()
  } catch {
    return []
  }
}

/** A wrong or missing file completes nothing; the command itself will say why. */
async function configured(kind: 'account' | 'agent' | 'service'): Promise<string[]> {
  const { loadConfig } = await import('../../config/loadConfig.js')
  try {
    const config = loadConfig()
    if (kind === 'service') return config.services.map(({ name }) => name)
    return kind === 'account' ? config.pool.accounts.map(({ name }) => name) : Object.keys(config.agents)
  } catch {
    return []
  }
}
