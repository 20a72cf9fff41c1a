/** Law 1 by path and by secret, as far as a file can show it: the healer draws on nothing that it heals. */
import { type FailureDomain, emptyDomain, sharedDomains } from '../../policy/independence/failureDomains.js'
import type { UnlocatedIssue, Path } from '../load/positions.js'
import { type PathBase, expandPath } from '../load/paths.js'
import { secretFingerprint, secretSource, placeEnv, gatewayOf } from '../secrets/credentials.js'
import type { RealStore } from './realStore.js'

/** A config dir that exists. */
export interface ConfigDir {
  path: Path
  name: string
  store: RealStore
}

/** An entry of the file that is given a login, as it was written. */
export interface LoginEntry {
  path: Path
  name: string | undefined
  /** What it is, for a person. */
  what: string
  side: 'healer' | 'pool'
  /** An addition comes on top of the login with which it runs. */
  kind: 'account' | 'substrate' | 'addition'
  env: unknown
  /** The `env` of the agent program that runs there. */
  agentEnv: unknown
}

/** Substrates and tasks belong to the pool's side, reserved substrates and wake-ups to the healer's. */
export function checkFailureDomains(
  entries: readonly LoginEntry[],
  dirs: readonly ConfigDir[],
  base: PathBase,
): UnlocatedIssue[] {
  const domainOf = (entry: LoginEntry): FailureDomain => {
    const stores = dirs.filter(({ path }) => path === entry.path).map(({ store }) => store)
    return {
      ...emptyDomain(entry.name ?? 'without a name', entry.what),
      ...{ stores, ...secretsOf(entry, base) },
    }
  }
  const pool = entries.filter(({ side }) => side === 'pool').map(domainOf)
  return entries
    .filter(({ side }) => side === 'healer')
    .flatMap((entry) =>
      sharedDomains([domainOf(entry)], pool).map(({ by, message }) => ({
        path: [...entry.path, by === 'configDir' ? 'configDir' : 'env'],
        at: 'value' as const,
        problem: message,
        remedy: `give the ${entry.what} its own login, config dir and secrets`,
      })),
    )
}

function secretsOf(entry: LoginEntry, base: PathBase) {
  const { credentials, gateway } = placeEnv(entry.env, entry.agentEnv)
  const keys = credentials.flatMap(({ variable, value }) =>
    typeof value === 'string' ? [secretFingerprint(variable, value)] : [],
  )
  return {
    credentials: credentials.flatMap(
      ({ value }) => secretSource(value, (path) => expandPath(path, base)) ?? [],
    ),
    keys,
    gateway: gatewayOf(gateway),
    keyless: entry.kind === 'substrate' && credentials.length === 0,
  }
}
