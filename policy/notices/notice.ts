/** What a person is told, and what the pool keeps of it. Instants are ISO 8601 in UTC; durations are milliseconds. */

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
  /** What stands shorter than this is no news, and what begins within it is told together. */
  settle: number
  retryEvery: number
  /** The pause between two tries grows up to this. */
  retryAtMost: number
  /** A notice that could not be delivered for this long is given up. */
  giveUpAfter: number
}

/** What stands with the pool right now that a person may have to hear of. */
export interface PoolConditions {
  pool: string
  /** Why no account can take anybody, in a line; null while one can. */
  dry: string | null
  /** Sessions that wait for a place, and until when; null where that is not known. */
  waitlist: { session: string; why: string; retryAt: string | null }[]
  loggedOut: string[]
}

/** A notice that others than the pool bring: it is told once for each `key`, such as `drill/<time>`. */
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
  /** When it was told; null while it may still pass by itself. */
  notifiedAt: string | null
  /** Told as a part of another cause, so that its end is no news of its own. */
  folded: boolean
  /** Since when it is over, once it was told. */
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
  /** Keys of announcements that were told, newest last. */
  announced: string[]
  outbox: QueuedNotice[]
}
