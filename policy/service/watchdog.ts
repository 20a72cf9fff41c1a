/** What the watchdog does about a service in trouble: restart it, after growing pauses, until restarts have proved no help. */
import { backoff } from '../backoff.js'
import { iso, ms } from '../instants.js'
import type { EscalationBackoff, RestartLimit, ServiceSpec } from './service.js'

export type WatchdogStep =
  | { kind: 'restart' | 'escalate'; at: string; attention: string | null }
  /** Nothing that Outpool may do: a person is told, and the service is looked on until it is back. */
  | { kind: 'notify'; attention: string }

/** Calls of a day: what was longer ago is another incident's. */
const escalationWindow = 24 * 60 * 60_000

/** `restarts` are the instants of the restarts so far, the first start not among them; `calls` those of escalations. */
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
    if (escalateAt <= ms(now)) return { kind: 'escalate', at: now, attention: null }
    const escalated = recentEscalations(escalations, now).length
    const attention = `${name}: ${why}; agents were woken for it ${escalated} times within a day`
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
        { base: Math.max(every, limit.pause), cap: limit.pauseAtMost },
        name,
      )
    : backoff(counted.length, { base: limit.pause, cap: Math.max(every, limit.pause) }, name)
  const attention = isSpent
    ? `${name}: ${counted.length} restarts did not help: ${why}; see outpool incidents`
    : null
  return { kind: 'restart', at: iso(Math.max(ms(now), ms(last) + pause)), attention }
}

function nextEscalationAt(
  escalations: readonly string[],
  { retryEvery, retryAtMost }: EscalationBackoff,
  name: string,
  now: string,
): number {
  const counted = recentEscalations(escalations, now)
  const last = counted.at(-1)
  if (last === undefined) return ms(now)
  return ms(last) + backoff(counted.length, { base: retryEvery, cap: retryAtMost }, name)
}

/** The escalations that still count. */
export const recentEscalations = (escalations: readonly string[], now: string): string[] =>
  escalations.filter((at) => ms(now) - ms(at) < escalationWindow).slice(-50)

/** The restarts that still count. */
export const recentRestarts = (restarts: readonly string[], limit: RestartLimit, now: string): string[] =>
  restarts.filter((at) => ms(now) - ms(at) < limit.within)

/** Older restarts can be forgotten; what is kept is bounded, whatever the configuration says. */
export const retainedRestarts = (restarts: readonly string[], limit: RestartLimit, now: string): string[] =>
  recentRestarts(restarts, limit, now).slice(-limit.limit - 20)
