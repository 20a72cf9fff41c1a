/** The watchdog's next step for a service in trouble: restarts after growing pauses, then an escalation or a person. */
import { backoff } from '../backoff.js'
import { times } from '../formatCount.js'
import { iso, toMs } from '../instants.js'
import type { EscalationBackoff, RestartLimit, ServiceSpec } from './service.js'

export type WatchdogStep =
  | { kind: 'restart' | 'escalate'; at: string; attention: string | null }
  /** Outpool can do nothing: a person is notified, and the service is observed until it recovers. */
  | { kind: 'notify'; attention: string }

/** Only escalations of the last day count: older ones belong to other incidents. */
const escalationWindow = 24 * 60 * 60_000

/** `restarts`: the instants of the restarts so far, without the first start. `escalations`: the instants of escalations. */
export function nextWatchdogStep(
  spec: Pick<ServiceSpec, 'name' | 'every' | 'restarts' | 'canStart' | 'wakeUp'>,
  { restarts, escalations }: { restarts: readonly string[]; escalations: readonly string[] },
  why: string,
  now: string,
): WatchdogStep {
  const { name, every, restarts: limit, canStart, wakeUp } = spec
  const counted = recentRestarts(restarts, limit, now)
  const isSpent = !canStart || counted.length >= limit.limit
  if (isSpent && wakeUp !== null) {
    const escalateAt = nextEscalationAt(escalations, wakeUp, name, now)
    if (escalateAt <= toMs(now)) return { kind: 'escalate', at: now, attention: null }
    const escalated = recentEscalations(escalations, now).length
    const attention = `${name}: ${why}; agents were woken for it ${times(escalated)} within a day`
    return { kind: 'escalate', at: iso(escalateAt), attention }
  }
  if (!canStart)
    return {
      kind: 'notify',
      attention: `${name}: ${why}; outpool only watches it, so start it again yourself`,
    }
  const last = counted.at(-1)
  if (last === undefined) return { kind: 'restart', at: now, attention: null }
  const pause = isSpent
    ? backoff(
        counted.length - limit.limit + 1,
        { base: Math.max(every, limit.backoff), cap: limit.backoffMax },
        name,
      )
    : backoff(counted.length, { base: limit.backoff, cap: Math.max(every, limit.backoff) }, name)
  const attention = isSpent
    ? `${name}: ${counted.length} restarts did not help: ${why}; see outpool incidents`
    : null
  return { kind: 'restart', at: iso(Math.max(toMs(now), toMs(last) + pause)), attention }
}

function nextEscalationAt(
  escalations: readonly string[],
  { retryEvery, retryMaxInterval }: EscalationBackoff,
  name: string,
  now: string,
): number {
  const counted = recentEscalations(escalations, now)
  const last = counted.at(-1)
  if (last === undefined) return toMs(now)
  return toMs(last) + backoff(counted.length, { base: retryEvery, cap: retryMaxInterval }, name)
}

/** The escalations that still count. */
export const recentEscalations = (escalations: readonly string[], now: string): string[] =>
  escalations.filter((at) => toMs(now) - toMs(at) < escalationWindow).slice(-50)

/** The restarts that still count. */
export const recentRestarts = (restarts: readonly string[], limit: RestartLimit, now: string): string[] =>
  restarts.filter((at) => toMs(now) - toMs(at) < limit.within)

/** The restarts to keep: bounded, whatever the configuration says. */
export const retainedRestarts = (restarts: readonly string[], limit: RestartLimit, now: string): string[] =>
  recentRestarts(restarts, limit, now).slice(-limit.limit - 20)
