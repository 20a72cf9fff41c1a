/** What sessions and pool say to each other about leases. Instants are ISO 8601 in UTC; shares are 0..1. */
import type { AccountFacts, AccountReading, AccountSpec, Timing } from './account.js'
import type { NoticeSettings } from './notices.js'
import type { RescueCause } from './session.js'

export interface LeaseRequest {
  /** Repeated with the same id until answered. */
  requestId: string
  session: string
  host: string
  model: string | null
  prefer: string | null
  pinned: boolean
  /** Accounts that already failed in this rescue. */
  exclude: string[]
  cause: RescueCause | 'start'
  /** The account the session is on now: counted out of its own way, and target of hysteresis. */
  from: string | null
  priority: number
  /** What the session's host knows of the accounts at this moment. */
  readings: AccountReading[]
  at: string
}

export interface LeaseGrant {
  requestId: string
  account: string
  /** Grows with every grant of this pool; an older fence launches nothing. */
  fence: number
  /** Why this account, in a few words. */
  why: string
}

/**
 * Nothing is able now. The request stays in the pool's queue and is granted unasked as soon as something is; only a
 * voluntary move (causes `near-limit` and `move`) is answered once: the session stays where it is and keeps its lease.
 */
export interface LeaseRefusal {
  requestId: string
  /** One line for a person. */
  why: string
  /** The next known chance, always in the future. The pool may find one earlier. */
  retryAt: string
  /** Nothing but a person's login can help: no account comes back by time alone. */
  needsLogin: boolean
}

export interface LeaseRelease {
  session: string
  /** Only the lease with this fence: a late release frees nothing newer. */
  fence: number
  /** Why the account could not be used, where that was the account's own fault; it rests before the next lease. */
  fault: string | null
}

export interface PoolSettings {
  name: string
  moveAt: number
  accounts: AccountSpec[]
  timing: Timing
  /** A host whose worker may be asked to probe, and to tell a person. */
  host: string
  /** Not there: nobody is told. */
  notices?: NoticeSettings
}

export interface PoolView {
  name: string
  moveAt: number
  accounts: AccountFacts[]
  waiting: { session: string; since: string; why: string; retryAt: string | null }[]
}
