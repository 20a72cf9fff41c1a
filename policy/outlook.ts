/** What a person wants to know of a pool in which sessions wait: who, for what, until when, and what would help most. */
import type { PoolView } from './lease.js'
import { ms } from './instants.js'

export interface Queue {
  /** In one line, the same for all of these sessions. */
  why: string
  /** The next chance, or null where only an event helps. */
  retryAt: string | null
  sessions: string[]
}

/** Sessions that wait for the same are told once; who has the nearest chance comes first. */
export function queuesOf({ waiting }: Pick<PoolView, 'waiting'>): Queue[] {
  const queues = new Map<string, Queue>()
  for (const { session, why, retryAt } of waiting) {
    const known = queues.get(why)
    if (known === undefined) queues.set(why, { why, retryAt, sessions: [session] })
    else {
      known.sessions.push(session)
      if (retryAt !== null && (known.retryAt === null || ms(retryAt) < ms(known.retryAt)))
        known.retryAt = retryAt
    }
  }
  const at = ({ retryAt }: Queue): number => (retryAt === null ? Infinity : ms(retryAt))
  return [...queues.values()].sort((a, b) => at(a) - at(b))
}

/** The one thing that a person could do for those who wait; null where nobody waits. What costs nothing comes first. */
export function wouldHelpMost({ accounts, waiting }: Pick<PoolView, 'accounts' | 'waiting'>): string | null {
  if (waiting.length === 0) return null
  const pool = accounts.filter(({ role }) => role === 'pool')
  const loggedOut = pool.find(({ login }) => login === 'out')
  if (loggedOut !== undefined) return `log in again on ${loggedOut.name}`
  const full = pool.find(
    ({ maxSessions, leases }) => maxSessions !== null && leases.length >= maxSessions && maxSessions > 0,
  )
  if (full !== undefined) return `raise maxSessions of ${full.name} (${leasesOf(full.leases.length)} there)`
  const disabled = pool.find(({ maxSessions }) => maxSessions === 0)
  if (disabled !== undefined) return `enable ${disabled.name} (maxSessions is 0)`
  if (!accounts.some(({ role }) => role === 'substrate'))
    return 'a substrate, on which sessions go on while the accounts are walled'
  return 'one more account; until then they get up by themselves at the instants above'
}

const leasesOf = (count: number): string => (count === 1 ? '1 session' : `${count} sessions`)
