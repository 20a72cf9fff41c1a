/** Finds the Claude config dirs of this user, for a first `outpool.yaml`. Reads file names, never a login. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { accountNameFor, unusedName } from '../../config/accountNames.js'

export interface FoundLogin {
  name: string
  /** Absolute, symbolic links not resolved. */
  dir: string
  /** Whether it is the folder that Claude uses without CLAUDE_CONFIG_DIR, with part of its state beside the folder. */
  isDefault: boolean
  /** Whether its name suggests that it is meant for the healer. */
  forHealer: boolean
}

/** Files and folders that Claude creates in a config dir that it has used. */
const loginTraces = ['.credentials.json', '.claude.json', 'settings.json', 'projects']

export function findLogins(home: string, env: NodeJS.ProcessEnv): FoundLogin[] {
  const named = env['CLAUDE_CONFIG_DIR']
  const inHome = entriesOf(home)
    .filter((entry) => entry === '.claude' || entry.startsWith('.claude-'))
    .sort()
    .map((entry) => join(home, entry))
  const seen = new Set<string>()
  const found: FoundLogin[] = []
  for (const dir of [...(named === undefined || named === '' ? [] : [resolve(named)]), ...inHome]) {
    if (!isUsed(dir)) continue
    const real = realpathSync.native(dir)
    if (seen.has(real)) continue
    seen.add(real)
    const taken = found.map(({ name }) => name)
    const name = unusedName(accountNameFor(dir), taken)
    found.push({
      name,
      dir,
      isDefault: dir === join(home, '.claude'),
      forHealer: /medic|heal|reserved|rescue/.test(name),
    })
  }
  return found
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isUsed(dir: string): boolean {
  try {
    return statSync(dir).isDirectory() && loginTraces.some((trace) => existsSync(join(dir, trace)))
  } catch {
    return false
  }
}
