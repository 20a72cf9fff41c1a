/** The pool's whole state, as plain data: it travels as the input of a workflow and is only changed by making a new one. */
import type { AccountFacts } from '../account/account.js'
import type { SimulatedWall } from './lease.js'
import type { LeaseRequest, PoolSettings } from './lease.js'

export interface Lease {
  session: string
  fence: number
  requestId: string
  /** When the session asked; an older request of the same session is late. */
  askedAt: string
  model: string | null
  since: string
  why: string
  /** Set where it is not what the session wanted: on a substrate, or on another model than its first. */
  failback: Failback | null
}

/** How a session gets back to what it wanted. */
export interface Failback {
  /** What it asks for when it goes home. */
  request: LeaseRequest
  /** Since when it knows that there is room at home, and where; it comes at its turn's end. */
  offered: { at: string; to: string } | null
  /** It came and there was no room: not called again before this. */
  notBefore: string | null
}

/** What the pool knows of one account. */
export interface AccountRecord extends Omit<AccountFacts, 'leases'> {
  leases: Lease[]
  /** Failures of the account's own in a row, and the newest; an answer after it ends the row. */
  failures: number
  failedAt: string | null
  /** Starts of the probes of the last hour, oldest first. */
  recentProbes: string[]
  /** Since when a probe is under way, or null. */
  probingSince: string | null
  /** No longer configured; kept only until its last lease is given back. */
  removed: boolean
}

/** A request that has not been granted. Its readings have been taken over and are empty here. */
export interface WaitlistEntry {
  request: LeaseRequest
  since: string
  /** The refusal the session was told, so that it is not told the same again. */
  notified: { key: string; why: string; retryAt: string } | null
  /** The lease that the session gave up by asking: a fault found later still counts against that account. */
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
  /** Walls that drills declared; those whose time is over count for nothing. */
  simulatedWalls?: SimulatedWall[]
  /** Sessions whose grant has to be sent again because they asked again. */
  resend: string[]
}

/** Answered once, and the old lease stays until then: the session can go on where it is. */
export const isVoluntary = (request: LeaseRequest): boolean =>
  request.cause === 'near-limit' || request.cause === 'move' || request.cause === 'home'

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

/** The desk with one account changed; the same desk where it is not known. */
export const withAccount = (
  state: PoolState,
  name: string,
  change: (account: AccountRecord) => AccountRecord,
): PoolState => ({
  ...state,
  accounts: state.accounts.map((account) => (account.name === name ? change(account) : account)),
})

/** The desk without the session's lease; a trial of that session ends with it. */
export const withoutLease = (state: PoolState, session: string): PoolState => {
  const held = leaseOf(state, session)
  if (held === null) return state
  return withAccount(state, held.account.name, (account) => ({
    ...account,
    leases: account.leases.filter((lease) => lease.session !== session),
    trial: account.trial?.session === session ? null : account.trial,
  }))
}
