/** The state of a pool as immutable plain data, which a workflow carries over at continue-as-new. */
import type { AccountFacts } from '../account/account.js'
import type { LeaseRequest, PoolSettings, SimulatedWall } from './lease.js'

export interface Lease {
  session: string
  fence: number
  requestId: string
  /** When the session asked; an older request of the same session is late. */
  askedAt: string
  model: string | null
  since: string
  why: string
  /** Set if the session is on a fallback: on a substrate, or on another model than its first. */
  failback: Failback | null
}

/** How a session gets back to what it wanted. */
export interface Failback {
  /** What it asks for at the failback. */
  request: LeaseRequest
  /** Since when an account has been offered to it, and which; it comes at the end of its turn. */
  offered: { at: string; to: string } | null
  /** Set after it came and found no room: no offer before this instant. */
  notBefore: string | null
}

/** What the pool knows of one account. */
export interface AccountRecord extends Omit<AccountFacts, 'leases'> {
  leases: Lease[]
  /** Failures of the account in a row, and the newest of them. An answer ends the row. */
  failures: number
  failedAt: string | null
  /** Starts of the probes of the last hour, oldest first. */
  recentProbes: string[]
  /** Since when a probe has been under way, or null. */
  probingSince: string | null
  /** No longer configured: kept only until its last lease is released. */
  removed: boolean
}

/** A request that was not granted yet. Its readings are merged into the accounts, and empty here. */
export interface WaitlistEntry {
  request: LeaseRequest
  since: string
  /** The last denial that was sent to the session, so that it is not repeated. */
  notified: { key: string; why: string; retryAt: string } | null
  /** The lease that the session gave up by its request: a failure that is found later still counts against that account. */
  releasedLease: { account: string; fence: number } | null
}

export interface PoolState {
  settings: PoolSettings
  /** The newest fence handed out. */
  fence: number
  /** In the order of the configuration. */
  accounts: AccountRecord[]
  /** At most one per session. */
  waitlist: WaitlistEntry[]
  /** Walls of drills; those whose time is over have no effect. */
  simulatedWalls?: SimulatedWall[]
  /** Sessions whose grant has to be sent again because they asked again. */
  resend: string[]
}

export const leaseOf = (
  state: PoolState,
  session: string,
): { account: AccountRecord; lease: Lease } | null => {
  for (const account of state.accounts) {
    const lease = account.leases.find((held) => held.session === session)
    if (lease !== undefined) return { account, lease }
  }
  return null
}

/** The state with one account changed; unchanged if the account is not known. */
export const withAccount = (
  state: PoolState,
  name: string,
  change: (account: AccountRecord) => AccountRecord,
): PoolState => ({
  ...state,
  accounts: state.accounts.map((account) => (account.name === name ? change(account) : account)),
})

/** The state without the session's lease; a trial of the session ends with it. */
export const withoutLease = (state: PoolState, session: string): PoolState => {
  const held = leaseOf(state, session)
  if (held === null) return state
  return withAccount(state, held.account.name, (account) => ({
    ...account,
    leases: account.leases.filter((lease) => lease.session !== session),
    trial: account.trial?.session === session ? null : account.trial,
  }))
}
