/** The notices of a pool, and what it keeps of them. Instants are ISO 8601 in UTC; durations are milliseconds. */

export type NoticeKind = 'pool-dry' | 'parked' | 'logged-out' | 'up-again' | 'drill' | 'incident'

export interface Notice {
  id: string
  kind: NoticeKind
  /** One short line. */
  title: string
  /** A few lines. Names accounts and sessions; never a prompt or a secret. */
  text: string
  at: string
}

/** As configured. Addresses and commands stay on the host; channels travel by name. */
export interface NoticeSettings {
  channels: string[]
  /** A condition that lasts shorter than this gets no notice; those that begin within it share one. */
  settleFor: number
  retryEvery: number
  /** The pause between two tries grows up to this. */
  retryMaxInterval: number
  /** A notice that could not be delivered for this long is given up. */
  giveUpAfter: number
}

/** The conditions of the pool at this moment of which a person may have to be notified. */
export interface PoolConditions {
  pool: string
  /** Why no account can take a session, in a line; null while one can. */
  dry: string | null
  /** Sessions that wait for a place. `retryAt`: until when, or null if that is not known. */
  waitlist: { session: string; why: string; retryAt: string | null }[]
  loggedOut: string[]
}

/** A notice from outside the pool. It is sent once for each `key`, such as `drill/<time>`. */
export interface Announcement {
  key: string
  kind: NoticeKind
  title: string
  text: string
}

export type CauseKey = 'dry' | 'parked' | `login ${string}`

export interface Cause {
  key: CauseKey
  since: string
  /** When a person was notified; null while the cause may still pass by itself. */
  notifiedAt: string | null
  /** Part of the notice of another cause, so that its end needs no notice. */
  folded: boolean
  /** Since when it is over, if a person was notified of it. */
  overSince: string | null
}

export interface QueuedNotice {
  notice: Notice
  /** Channels that have not taken it. */
  pendingChannels: string[]
  tries: number
  dueAt: string
}

export interface NoticeBoard {
  causes: Cause[]
  /** Keys of the announcements so far, newest last. */
  announced: string[]
  outbox: QueuedNotice[]
}

/** Writes the texts of notices. They name accounts and sessions, never a prompt or a secret. */
export interface NoticeTexts {
  problem(keys: readonly CauseKey[], conditions: PoolConditions, now: string): Notice
  recovery(conditions: PoolConditions, remaining: readonly Cause[], now: string): Notice
}
