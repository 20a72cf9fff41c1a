/** The breaker of a session: if Outpool begins too many turns, the session is parked for a person (law 13). */
import type { Timing } from '../account/account.js'
import { toMs } from '../instants.js'

/** Why Outpool began a turn. A person's text has its own cause, and does not count. */
export type TurnCause = 'continuation' | 'relaunch' | 'retry' | 'task' | 'wake-up'

export interface CountedTurn {
  at: string
  cause: TurnCause
}

type Limits = Pick<Timing, 'turnLimit' | 'turnWithin'>

/** The turns that still count: older ones can be forgotten. */
export const recentTurns = (
  turns: readonly CountedTurn[],
  now: string,
  { turnLimit, turnWithin }: Limits,
): CountedTurn[] => turns.filter(({ at }) => toMs(now) - toMs(at) < turnWithin).slice(-turnLimit - 1)

/** Why no further turn may begin, for a person, or null. */
export function tripReason(turns: readonly CountedTurn[], now: string, limits: Limits): string | null {
  const recent = recentTurns(turns, now, limits)
  if (recent.length < limits.turnLimit) return null
  const counts = new Map<TurnCause, number>()
  for (const { cause } of recent) counts.set(cause, (counts.get(cause) ?? 0) + 1)
  const causes = [...counts].map(([cause, count]) => `${count} × ${cause}`).join(', ')
  return `outpool began ${recent.length} turns within ${Math.round(limits.turnWithin / 60_000)} minutes (${causes})`
}
