/** Law 1: nothing that heals draws on what it heals. */

/** A folder or file that holds a login. */
export interface LoginStore {
  /** The real, absolute path. */
  path: string
  /** Its identity on disk (device and inode), so that mounts, links and letter case can't hide it; null if unknown. */
  id: string | null
  /** The same for every folder above it. */
  above: readonly string[]
}

/** A secret that is known, without its value. */
export interface SecretFingerprint {
  /** The variable or setting that holds it. */
  variable: string
  /** A shortened hash, for comparison only: it is in no message, log or history. */
  fingerprint: string
  /** Whether the program logs in with it, so that a stored login is not used. */
  login: boolean
}

/** One login or substrate, with everything through which it can fail together with another. */
export interface FailureDomain {
  name: string
  /** What it is, for a person: `pool account`, `reserved account`, `substrate`. */
  what: string
  stores: readonly LoginStore[]
  /** The identity of the login (account uuid); null if it is not known. */
  identity: string | null
  email: string | null
  /** Only a hint: the seats of one organisation have budgets of their own. */
  organisation: string | null
  /** Where its secrets come from, one text per reference, such as `env:MEDIC_KEY` or `file:/real/path`. Never a secret. */
  credentials: readonly string[]
  keys: readonly SecretFingerprint[]
  /** The normalised address of its requests; null for the provider's own. */
  gateway: string | null
  /** Whether it has no login at all, so that the gateway uses its own. */
  keyless: boolean
}

/** A domain of which nothing is known. */
export const emptyDomain = (name: string, what: string): FailureDomain => ({
  ...{ name, what, stores: [], identity: null, email: null, organisation: null },
  ...{ credentials: [], keys: [], gateway: null, keyless: false },
})

/** Names are not compared: the configuration gives each only once. */
type SharedBy = 'configDir' | 'identity' | 'email' | 'credential' | 'key' | 'gateway' | 'organisation'

export interface SharedDomain {
  healer: string
  pool: string
  by: SharedBy
  /** One line that names both sides. */
  message: string
}

const sharedDomainMessage = 'rescuer shares the failure domain it heals'

/** Every overlap of the two sides. With any of them, nothing starts. */
export const sharedDomains = (
  healer: readonly FailureDomain[],
  pool: readonly FailureDomain[],
): SharedDomain[] =>
  pairs(healer, pool).flatMap(([ours, theirs]) =>
    overlaps(ours, theirs).map(([by, how]) =>
      shared(ours, theirs, by, `${sharedDomainMessage}: ${sides(ours, theirs)} ${how}`),
    ),
  )

/** What both sides share without being one account. It is accepted, and reported for a person to judge. */
export const acceptedOverlaps = (
  healer: readonly FailureDomain[],
  pool: readonly FailureDomain[],
): SharedDomain[] =>
  pairs(healer, pool).flatMap(([ours, theirs]) =>
    acceptedSharing(ours, theirs).map(([by, how]) =>
      shared(ours, theirs, by, `${sides(ours, theirs)} ${how}`),
    ),
  )

const pairs = (healer: readonly FailureDomain[], pool: readonly FailureDomain[]) =>
  healer.flatMap((ours) => pool.map((theirs) => [ours, theirs] as const))

const sides = (ours: FailureDomain, theirs: FailureDomain): string =>
  `${ours.what} ${ours.name} and ${theirs.what} ${theirs.name}`

const shared = (ours: FailureDomain, theirs: FailureDomain, by: SharedBy, message: string): SharedDomain => ({
  ...{ healer: ours.name, pool: theirs.name, by, message },
})

type Overlap = readonly [by: SharedBy, how: string]

function overlaps(ours: FailureDomain, theirs: FailureDomain): Overlap[] {
  const found: Overlap[] = []
  const store = sharedStore(ours, theirs)
  if (store !== null) found.push(['configDir', store])
  if (ours.identity !== null && ours.identity === theirs.identity)
    found.push(['identity', 'are the same login'])
  else if (sameEmail(ours, theirs)) found.push(['email', 'are logged in with the same e-mail address'])
  for (const credential of new Set(ours.credentials))
    if (theirs.credentials.includes(credential))
      found.push(['credential', `both take their secret from ${credential}`])
  for (const key of ours.keys) {
    const same = theirs.keys.find(({ fingerprint }) => fingerprint === key.fingerprint)
    if (same !== undefined)
      found.push(['key', `have the same secret, as ${key.variable} and ${same.variable}`])
  }
  if (sameGateway(ours, theirs) && ours.keyless && theirs.keyless)
    found.push(['gateway', `both draw on whatever login ${theirs.gateway ?? ''} has: neither brings its own`])
  return found
}

function acceptedSharing(ours: FailureDomain, theirs: FailureDomain): Overlap[] {
  const found: Overlap[] = []
  if (sameGateway(ours, theirs) && !(ours.keyless && theirs.keyless))
    found.push(['gateway', `go through the same gateway, ${theirs.gateway ?? ''}`])
  if (ours.organisation !== null && ours.organisation === theirs.organisation)
    found.push(['organisation', 'belong to one organisation; its seats have budgets of their own'])
  return found
}

const sameGateway = (ours: FailureDomain, theirs: FailureDomain): boolean =>
  ours.gateway !== null && ours.gateway === theirs.gateway

const sameEmail = (ours: FailureDomain, theirs: FailureDomain): boolean =>
  ours.email !== null && ours.email.toLowerCase() === theirs.email?.toLowerCase()

function sharedStore(ours: FailureDomain, theirs: FailureDomain): string | null {
  const met = ours.stores.flatMap((one) => theirs.stores.map((other) => [one, other] as const))
  const same = met.find(([one, other]) => isSame(one, other))
  if (same !== undefined) {
    const [one, other] = same.map(({ path }) => trimmed(path))
    return one === other ? `both use ${other ?? ''}` : `both use ${other ?? ''}, one of them as ${one ?? ''}`
  }
  const nested = met.find(([one, other]) => isInside(one, other) || isInside(other, one))
  return nested === undefined ? null : `lie one inside the other: ${nested[0].path}, ${nested[1].path}`
}

const trimmed = (path: string): string => path.replace(/\/+$/, '')
const isSame = (a: LoginStore, b: LoginStore): boolean =>
  trimmed(a.path) === trimmed(b.path) || (a.id !== null && a.id === b.id)
const isInside = (inner: LoginStore, outer: LoginStore): boolean =>
  trimmed(inner.path).startsWith(`${trimmed(outer.path)}/`) ||
  (outer.id !== null && inner.above.includes(outer.id))

/** Accounts of one pool that are the same login; the one named later is `duplicate` and never leased. */
export function duplicateLogins(accounts: readonly FailureDomain[]): { name: string; sameAs: string }[] {
  return accounts.flatMap((account) => {
    const first = firstOf(account, accounts)
    return first === account ? [] : [{ name: account.name, sameAs: first.name }]
  })
}

/**
 * A text that is equal for two accounts exactly if they have the same login. It holds no part of a secret, so that it may leave the
 * host. Null if nothing is known of the login.
 */
export function loginLabel(account: FailureDomain, accounts: readonly FailureDomain[]): string | null {
  const first = firstOf(account, accounts)
  return loginKeys(first).length > 0 ? `key of ${first.name}` : first.identity
}

const firstOf = (account: FailureDomain, accounts: readonly FailureDomain[]): FailureDomain =>
  accounts.find((other) => other === account || sameLogin(other, account)) ?? account

/** The login that is used: a key comes before the stored login, and an account uuid before an e-mail address. */
function sameLogin(one: FailureDomain, other: FailureDomain): boolean {
  const keys = loginKeys(one)
  if (keys.length > 0 || loginKeys(other).length > 0)
    return keys.some((key) => loginKeys(other).includes(key))
  if (one.stores.some((store) => other.stores.some((same) => isSame(store, same)))) return true
  if (one.identity !== null && other.identity !== null) return one.identity === other.identity
  return sameEmail(one, other)
}

const loginKeys = ({ keys }: FailureDomain): string[] =>
  keys.filter(({ login }) => login).map(({ fingerprint }) => fingerprint)
