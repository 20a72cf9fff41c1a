/** Law 1 by path and by secret, as far as a file can show it: the healer draws on nothing that it heals. */
import { type FailureDomain, sharedDomains } from '../policy/failureDomains.js'
import type { Finding, Path } from './configFaults.js'
import { type PathBase, expandPath } from './configPaths.js'
import { isMapping } from './isMapping.js'

/** A config dir that exists, with what makes two writings of it one. */
export interface ConfigDir {
  path: Path
  name: string
  /** Real path; `id` is the folder's own identity on disk, so that case and mounts cannot hide it. */
  realPath: string
  id: string
}

/** An account or substrate as it was written. */
export interface Written {
  path: Path
  name: string | undefined
  what: 'pool account' | 'reserved account' | 'substrate' | 'reserved substrate'
  env: unknown
}

/** Substrates count to the pool: its sessions draw on them. */
export function checkDomains(
  entries: readonly Written[],
  dirs: readonly ConfigDir[],
  base: PathBase,
): Finding[] {
  const literals = new Map<string, string>()
  const domainOf = (entry: Written): FailureDomain => {
    const dir = dirs.find(({ path }) => path === entry.path)
    return {
      name: entry.name ?? 'without a name',
      what: entry.what,
      // One folder under two real paths has one name here, the first.
      configDir: dir === undefined ? null : (dirs.find(({ id }) => id === dir.id) ?? dir).realPath,
      identity: null,
      credentials: credentialsOf(entry.env, literals, base),
    }
  }
  const pool = entries.filter((entry) => !isHealers(entry)).map(domainOf)
  return entries.filter(isHealers).flatMap((entry) =>
    sharedDomains([domainOf(entry)], pool)
      // A name that is given twice is told as such.
      .filter(({ by }) => by !== 'name')
      .map(({ by, message }) => ({
        path: [...entry.path, by === 'configDir' ? 'configDir' : 'env'],
        at: 'value' as const,
        problem: message,
        remedy: `give the ${entry.what} a login, a config dir and secrets of its own`,
      })),
  )
}

const isHealers = ({ what }: Written): boolean => what.startsWith('reserved')

const secretName = /key|token|secret|passw|credential|auth/i

/** Where secrets come from, as texts that can be shown. Equal literals get one text, which does not hold them. */
function credentialsOf(env: unknown, literals: Map<string, string>, base: PathBase): string[] {
  if (!isMapping(env)) return []
  return Object.entries(env).flatMap(([name, value]): string[] => {
    if (typeof value === 'string') {
      if (!secretName.test(name) || value === '') return []
      if (!literals.has(value)) literals.set(value, `the literal value of ${name}`)
      return [literals.get(value) ?? '']
    }
    if (!isMapping(value)) return []
    const { fromEnv, fromFile, fromCommand } = value
    if (typeof fromEnv === 'string') return [`env:${fromEnv}`]
    if (typeof fromFile === 'string') return [`file:${expandPath(fromFile, base)}`]
    return Array.isArray(fromCommand) ? [`command:${JSON.stringify(fromCommand)}`] : []
  })
}
