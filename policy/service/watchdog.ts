/** What the watchdog does about a service in trouble: restart it, after growing pauses, until restarts have proved no help. */
import { backoff } from '../backoff.js'
import { iso, ms } from '../instants.js'
import type { CallRhythm, RestartLimit, ServiceSpec } from './service.js'

export type NextStep =
  | { kind: 'restart' | 'escalate'; at: string; attention: string | null }
  /** Nothing that Outpool may do: a person is told, and the service is looked on until it is back. */
  | { kind: 'tell'; attention: string }

/** Calls of a day: what was longer ago is another incident's. */
const callsForgottenAfter = 24 * 60 * 60_000

/** `restarts` are the instants of the restarts so far, the first start not among them; `calls` those of escalations. */
export function nextStep(
  spec: Pick<ServiceSpec, 'name' | 'every' | 'restarts' | 'canStart' | 'wakeUp'>,
  { restarts, calls }: { restarts: readonly string[]; calls: readonly string[] },
  why: string,
  now: string,
): NextStep {
  const { name, every, restarts: limit, canStart, wakeUp } = spec
  const counted = countedRestarts(restarts, limit, now)
  const isSpent = !canStart || counted.length >= limit.limit
  if (isSpent && wakeUp !== null) {
    const callAt = nextCallAt(calls, wakeUp, name, now)
    if (callAt <= ms(now)) return { kind: 'escalate', at: now, attention: null }
    const called = countedCalls(calls, now).length
    const attention = `${name}: ${why}; agents were woken for it ${called} times within a day`
    return { kind: 'escalate', at: iso(callAt), attention }
  }
  if (!canStart)
    return {
      kind: 'tell',
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

function nextCallAt(
  calls: readonly string[],
  { retryEvery, retryAtMost }: CallRhythm,
  name: string,
  now: string,
): number {
  const counted = countedCalls(calls, now)
  const last = counted.at(-1)
  if (last === undefined) return ms(now)
  return ms(last) + backoff(counted.length, { base: retryEvery, cap: retryAtMost }, name)
}

/** The escalations that still count. */
export const countedCalls = (calls: readonly string[], now: string): string[] =>
  calls.filter((at) => ms(now) - ms(at) < callsForgottenAfter).slice(-50)

/** The restarts that still count. */
export const countedRestarts = (restarts: readonly string[], limit: RestartLimit, now: string): string[] =>
  restarts.filter((at) => ms(now) - ms(at) < limit.within)

/** Older restarts can be forgotten; what is kept is bounded, whatever the configuration says. */
export const keptRestarts = (restarts: readonly string[], limit: RestartLimit, now: string): string[] =>
  countedRestarts(restarts, limit, now).slice(-limit.limit - 20)
