/** The accounts of a fake host. */
import type { AccountReading, Wall, Window } from '../../../policy/account/account.js'
import { iso } from '../../../policy/instants.js'

/**
 * An account with one five-hour window, which resets by itself. It is able and known unless a test says
 * otherwise.
 */
export class FakeAccount {
  readonly name: string
  used = 0.1
  /** When the window resets; from then on nothing is used. */
  resetsAt = Infinity
  login: 'in' | 'out' = 'in'
  identity: string
  /** Whether the host reads it by itself, as it does if a session runs there. */
  isRead = true
  /** Whether probes are answered without numbers. */
  isSilent = false
  wall: Wall | null = null

  constructor(name: string) {
    this.name = name
    this.identity = `identity of ${name}`
  }

  /** The account refuses from now on, until the instant that it states. */
  hitWall(now: number, resetsAt: number): Wall {
    this.used = 1
    this.resetsAt = resetsAt
    const at = iso(now)
    this.wall = { kind: 'five_hour', scope: 'account', resetsAt: iso(resetsAt), evidence: 'said so', at }
    return this.wall
  }

  reading(now: number, probedAt: string | null): AccountReading {
    const hasReset = now >= this.resetsAt
    const window: Window = {
      name: 'five_hour',
      used: hasReset ? 0 : this.used,
      resetsAt: hasReset || this.resetsAt === Infinity ? iso(now + 5 * 3_600_000) : iso(this.resetsAt),
      readAt: iso(now),
      source: probedAt === null ? 'status-line' : 'usage-probe',
    }
    return {
      account: this.name,
      windows: this.login === 'in' ? [window] : [],
      walls: this.wall === null || hasReset ? [] : [this.wall],
      login: this.login,
      loginAt: iso(now),
      identity: this.identity,
      probedAt,
    }
  }
}

/** What is read of an account of which nothing is known. */
export const unread = (account: string, probedAt: string | null): AccountReading => ({
  account,
  windows: [],
  walls: [],
  login: 'unknown',
  loginAt: null,
  identity: null,
  probedAt,
})
