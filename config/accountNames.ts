/** Names for accounts that are found on a host. */
import { basename } from 'node:path'
import { namePattern } from '../policy/ids.js'

/** `.claude-max-1` gives `max-1`; the default folder is `main`. */
export function accountNameFor(configDir: string): string {
  const plain = basename(configDir)
    .replace(/^\.?claude-?/, '')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '')
    .slice(0, 60)
  return namePattern.test(plain) ? plain : 'main'
}

/** The name itself, or with a number if it is taken. */
export function unusedName(wanted: string, taken: readonly string[]): string {
  let name = wanted
  for (let n = 2; taken.includes(name); n++) name = `${wanted}-${n}`
  return name
}
