/** The answer to a crash of the agent: it is resumed on the same account, after growing pauses, then after long rests. */
import type { Timing } from '../account/account.js'
import { backoff } from '../backoff.js'
import { counted, times } from '../formatCount.js'
import type { Hang } from './hang.js'
import { iso, toMs } from '../instants.js'

export type CrashResponse =
  | { kind: 'restart'; afterMs: number }
  /** Beyond the limit. It is resumed at `until`, and `attention` is shown meanwhile. */
  | { kind: 'rest'; until: string; attention: string }

/** `crashes` are the instants of all crashes so far, this one included, in any order. The first restart has no pause. */
export function crashResponse(
  session: string,
  crashes: readonly string[],
  now: string,
  timing: Timing,
): CrashResponse {
  const { crashLimit, crashWithin, crashBackoff, failureBackoffMax, retryEvery } = timing
  const recent = recentCrashes(crashes, now, timing)
  if (recent.length <= 1) return { kind: 'restart', afterMs: 0 }
  if (recent.length <= crashLimit)
    return {
      kind: 'restart',
      afterMs: backoff(
        recent.length - 1,
        { base: crashBackoff, cap: Math.max(crashBackoff, retryEvery) },
        session,
      ),
    }
  const excess = recent.length - crashLimit
  const rest = backoff(excess, { base: 5 * retryEvery, cap: failureBackoffMax }, session)
  return {
    kind: 'rest',
    until: iso(toMs(now) + rest),
    attention: `The agent crashed ${times(recent.length)} within ${counted(Math.round(crashWithin / 60_000), 'minute')}: look at its pane or its log.`,
  }
}

/**
 * Whether a hanging agent is interrupted and told to go on, instead of being killed: once, and again only if it has worked
 * meanwhile. A spinning one takes no key.
 */
export const shouldInterruptFirst = (
  how: Hang,
  interruptedAt: string | null,
  now: string,
  { hungAfter }: Pick<Timing, 'hungAfter'>,
): how is Exclude<Hang, 'spinning'> =>
  how !== 'spinning' && (interruptedAt === null || toMs(now) - toMs(interruptedAt) > 2 * hungAfter)

/** The crashes that still count: older ones can be forgotten. */
export const recentCrashes = (
  crashes: readonly string[],
  now: string,
  { crashLimit, crashWithin }: Pick<Timing, 'crashLimit' | 'crashWithin'>,
): string[] => crashes.filter((at) => toMs(now) - toMs(at) < crashWithin).slice(-2 * crashLimit - 10)
