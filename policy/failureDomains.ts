/** Law 1: nothing that heals draws on what it heals. */

/** One login or substrate, with everything by which it can fall together with another. */
export interface FailureDomain {
  name: string
  /** What it is, for a person: `pool account`, `reserved account`, `substrate`. */
  what: string
  /** Real, absolute path; null where it has none. */
  configDir: string | null
  /** The login's own identity (account uuid); null where it is not known. */
  identity: string | null
  /** Where its secrets come from, one text per reference, such as `env:MEDIC_KEY` or `file:/real/path`. Never a secret. */
  credentials: string[]
}

export interface SharedDomain {
  healer: string
  pool: string
  by: 'name' | 'configDir' | 'identity' | 'credential'
  /** One line that names both sides. */
  message: string
}

export const sharedDomainMessage = 'rescuer shares the failure domain it heals'

/** Every overlap of the two sides; none may be left for anything to start. */
export function sharedDomains(
  healer: readonly FailureDomain[],
  pool: readonly FailureDomain[],
): SharedDomain[] {
  return healer.flatMap((ours) => pool.flatMap((theirs) => overlaps(ours, theirs)))
}

function overlaps(ours: FailureDomain, theirs: FailureDomain): SharedDomain[] {
  const found: SharedDomain[] = []
  const say = (by: SharedDomain['by'], how: string): void => {
    const sides = `${ours.what} ${ours.name} and ${theirs.what} ${theirs.name}`
    found.push({
      healer: ours.name,
      pool: theirs.name,
      by,
      message: `${sharedDomainMessage}: ${sides} ${how}`,
    })
  }
  if (ours.name === theirs.name) say('name', 'have the same name')
  if (ours.configDir !== null && theirs.configDir !== null) {
    if (sameFolder(ours.configDir, theirs.configDir)) say('configDir', `both use ${theirs.configDir}`)
    else if (isInside(ours.configDir, theirs.configDir) || isInside(theirs.configDir, ours.configDir))
      say('configDir', `lie one inside the other: ${ours.configDir}, ${theirs.configDir}`)
  }
  if (ours.identity !== null && ours.identity === theirs.identity) say('identity', 'are the same login')
  for (const credential of new Set(ours.credentials))
    if (theirs.credentials.includes(credential))
      say('credential', `both take their secret from ${credential}`)
  return found
}

const trimmed = (path: string): string => path.replace(/\/+$/, '')
const sameFolder = (a: string, b: string): boolean => trimmed(a) === trimmed(b)
const isInside = (inner: string, outer: string): boolean => trimmed(inner).startsWith(`${trimmed(outer)}/`)

/** Accounts of one pool that are the same login; the one named later is `duplicate` and never leased. */
export function duplicateLogins(
  accounts: readonly { name: string; identity: string | null }[],
): { name: string; sameAs: string }[] {
  const first = new Map<string, string>()
  return accounts.flatMap(({ name, identity }) => {
    if (identity === null) return []
    const sameAs = first.get(identity)
    if (sameAs !== undefined) return [{ name, sameAs }]
    first.set(identity, name)
    return []
  })
}
