/** The waitlist for a person: which sessions wait, for what, until when, and what would help most. */
import type { AccountFacts } from '../account/account.js'
import { percent, toMs } from '../instants.js'
import type { PoolView } from './lease.js'
import { spentBudgetWall } from '../account/spend.js'
import { walledUntil } from '../account/walls.js'
import { nearLimit } from '../account/windows.js'

export interface WaitlistGroup {
  /** In one line, the same for all of these sessions. */
  why: string
  /** The next chance, or null if only an event helps. */
  retryAt: string | null
  sessions: string[]
}

/** Groups the sessions that wait for the same; the group with the nearest chance comes first. */
export function groupWaitlist(
  waitlist: readonly Pick<PoolView['waitlist'][number], 'session' | 'why' | 'retryAt'>[],
): WaitlistGroup[] {
  const groups = new Map<string, WaitlistGroup>()
  for (const { session, why, retryAt } of waitlist) {
    const known = groups.get(why)
    if (known === undefined) groups.set(why, { why, retryAt, sessions: [session] })
    else {
      known.sessions.push(session)
      if (retryAt !== null && (known.retryAt === null || toMs(retryAt) < toMs(known.retryAt)))
        known.retryAt = retryAt
    }
  }
  const at = ({ retryAt }: WaitlistGroup): number => (retryAt === null ? Infinity : toMs(retryAt))
  return [...groups.values()].sort((a, b) => at(a) - at(b))
}

/** What a person could do for the waiting sessions; null if none waits. Remedies that cost nothing come first. */
export function mostHelpfulAction(
  { accounts, waitlist }: Pick<PoolView, 'accounts' | 'waitlist'>,
  now: string,
): string | null {
  if (waitlist.length === 0) return null
  const pool = accounts.filter(({ role }) => role === 'pool')
  const substrates = accounts.filter(({ role }) => role === 'substrate')
  const loggedOut = pool.find(({ login }) => login === 'out')
  if (loggedOut !== undefined) return `log in again on ${loggedOut.name}`
  // More room on an account that refuses anyway does not help.
  const open = pool.filter((account) => !isWalled(account, now))
  return (
    moreSessions(open) ??
    higherCeiling(open, now) ??
    enabled(open) ??
    moreSessions(substrates.filter((substrate) => !isWalled(substrate, now))) ??
    higherBudget(substrates, now) ??
    (substrates.length === 0
      ? 'a substrate, on which sessions go on while the accounts are walled'
      : 'one more account; until then the sessions start again by themselves at the times above')
  )
}

const isWalled = ({ walls, windows }: AccountFacts, now: string): boolean =>
  walledUntil(walls, windows, 0, toMs(now)) !== null

function moreSessions(among: readonly AccountFacts[]): string | null {
  const full = among.find(
    ({ maxSessions, leases }) => maxSessions !== null && maxSessions > 0 && leases.length >= maxSessions,
  )
  if (full === undefined) return null
  const there = full.leases.length === 1 ? '1 session' : `${full.leases.length} sessions`
  return `raise maxSessions of ${full.name} (${there} there)`
}

function higherCeiling(among: readonly AccountFacts[], now: string): string | null {
  const kept = among.find(
    ({ ceiling, windows }) => ceiling < 1 && nearLimit(windows, null, ceiling, 0, toMs(now)) !== null,
  )
  return kept === undefined ? null : `raise the ceiling of ${kept.name} (${percent(kept.ceiling)})`
}

function enabled(among: readonly AccountFacts[]): string | null {
  const disabled = among.find(({ maxSessions }) => maxSessions === 0)
  return disabled === undefined ? null : `enable ${disabled.name} (maxSessions is 0)`
}

function higherBudget(substrates: readonly AccountFacts[], now: string): string | null {
  const spent = substrates.find(({ windows }) => spentBudgetWall(windows, now) !== null)
  return spent === undefined ? null : `raise the budget of ${spent.name}, which is spent`
}
