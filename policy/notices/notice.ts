/** The notices of a pool, and what it keeps of them. Instants are ISO 8601 in UTC; durations are milliseconds. */
import type { ForeseenDrySpell, SessionNeed, SilentHost } from './hostReport.js'

export type NoticeKind =
  | 'pool-dry'
  | 'dry-ahead'
  | 'parked'
  | 'needs-person'
  | 'logged-out'
  | 'host-silent'
  | 'up-again'
  | 'drill'
  | 'incident'
  | 'worker-died'
  | 'rehearsal'
  | 'test'

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
  /** What sessions need of a person while they keep their place. */
  needs: SessionNeed[]
  silentHosts: SilentHost[]
  /** A dry spell that is to come; null while the pool is dry. */
  drySpell: ForeseenDrySpell | null
}

/** A notice from outside the pool. It is sent once for each `key`, such as `drill/<time>`. */
export interface Announcement {
  key: string
  kind: NoticeKind
  title: string
  text: string
}

/** A need is known by when it began too: the next question of a session is another cause. */
export type CauseKey =
  | 'dry'
  | 'parked'
  | 'dry-ahead'
  | `login ${string}`
  | `need ${string} ${string}`
  | `host ${string}`

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
  /** The end of the newest dry spell that a person was notified of ahead of time: until then no other is. */
  foretoldUntil?: string
  outbox: QueuedNotice[]
}

/** Writes the texts of notices. They name accounts and sessions, never a prompt or a secret. */
export interface NoticeTexts {
  problem(keys: readonly CauseKey[], conditions: PoolConditions, now: string): Notice
  /** `over`: what has ended; `remaining`: the causes that have not. */
  recovery(
    over: readonly Cause[],
    conditions: PoolConditions,
    remaining: readonly Cause[],
    now: string,
  ): Notice
}
