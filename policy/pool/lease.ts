/** The messages between sessions and pool about leases. Instants are ISO 8601 in UTC; shares are 0..1. */
import type { AccountFacts, AccountReading, AccountSpec, Timing, Wall } from '../account/account.js'
import type { NoticeSettings } from '../notices/notice.js'
import type { PlaceRef } from '../session/place.js'
import type { RescueCause } from '../session/session.js'

export interface LeaseRequest {
  /** Repeated with the same id until answered. */
  requestId: string
  session: string
  host: string
  /** The session's folder: some pages open in one project only. */
  cwd?: string
  /** Also accounts with an open page: the session may show it to a person. Default: no. */
  allowOpenPage?: boolean
  agent: string
  /** In order: the same model on any account comes before the next model. Holds at least one; null is the agent's default. */
  models: (string | null)[]
  /** Substrates that will do if no account is able, in order; null: all, in the order of the configuration. */
  fallback: string[] | null
  /** Substrates that will never do for this session. */
  unfit: string[]
  prefer: string | null
  pinned: boolean
  /** Accounts that already failed in this rescue. */
  exclude: string[]
  cause: RescueCause | 'start'
  /** The current place of the session, which does not block itself there and prefers to stay. */
  from: string | null
  priority: number
  /** What the session's host knows of the accounts at this moment. */
  readings: AccountReading[]
  at: string
}

/** The request of a session if its account were walled now: its host sends it, with its readings at that moment. */
export type PreparedLeaseRequest = Omit<LeaseRequest, 'readings'>

/** The requests of one host at one moment. */
export interface LeaseBatch {
  requests: PreparedLeaseRequest[]
  readings: AccountReading[]
}

/** The pool's first answer to a request. A queued one is answered by signal, like one that the session itself has sent. */
export type LeaseAnswer =
  | { kind: 'granted'; grant: LeaseGrant }
  | { kind: 'refused'; denial: LeaseDenial }
  | { kind: 'queued'; requestId: string }

/** Whether the session can stay where it is: the request is answered once, and the old lease is kept until a grant. */
export const isVoluntaryMove = (cause: LeaseRequest['cause']): boolean =>
  cause === 'near-limit' || cause === 'move' || cause === 'home'

/** The models to ask for after a wall: a session without a model that met a model's wall must avoid accounts with the same wall. */
export function modelsAfter(models: LeaseRequest['models'], wall: Wall | null): LeaseRequest['models'] {
  if (models.some((model) => model !== null)) return models
  return [wall?.scope.startsWith('model:') ? wall.scope.slice('model:'.length) : null]
}

export interface LeaseGrant {
  requestId: string
  place: PlaceRef
  /** What to run there; null is the agent's default. */
  model: string | null
  /** Grows with every grant of this pool; an older fence launches nothing. */
  fence: number
  /** Why this place, in a few words. */
  why: string
}

/**
 * No place is able now. The request stays on the waitlist and is granted as soon as one is. Only a voluntary move is
 * answered once: the session stays where it is and keeps its lease.
 */
export interface LeaseDenial {
  requestId: string
  /** One line for a person. */
  why: string
  /** The next known chance, always in the future. The pool may find one earlier. */
  retryAt: string
  /** Only a person's login can help: no account becomes able by time alone. */
  needsLogin: boolean
  /** Set if every account that could take the session opens a page: which pages, and what a person does about them. */
  pages?: string | null
}

export interface LeaseRelease {
  session: string
  /** Only the lease with this fence: a late release frees nothing newer. */
  fence: number
  /** Why the account could not be used, if it was the account's fault: then it rests before the next lease. */
  failure: string | null
}

/** A lease that a session has, whatever the pool knows of it. */
export interface HeldLease {
  /** What the session would ask for if it had to move now. */
  request: LeaseRequest
  /** The account or substrate, by name. */
  account: string
  model: string | null
  fence: number
}

export interface PoolSettings {
  name: string
  moveAt: number
  /** Those of the pool, then the substrates in their order. */
  accounts: AccountSpec[]
  timing: Timing
  /** The host whose worker probes accounts and sends notices. */
  host: string
  /** Absent: no notices are sent. */
  notices?: NoticeSettings
}

export interface PoolView {
  name: string
  moveAt: number
  accounts: AccountFacts[]
  waitlist: { session: string; since: string; why: string; retryAt: string | null }[]
  /** Sessions of drills, for which every account counts as walled until then. */
  simulatedWalls?: SimulatedWall[]
}

/** A wall that a drill simulates: for this session every account of the pool counts as walled until this instant. */
export interface SimulatedWall {
  session: string
  until: string
}
