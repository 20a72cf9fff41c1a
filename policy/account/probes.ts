/** When an account may be asked: asking spends no budget, but the usage endpoint is throttled for all who share the login. */
import type { Timing } from './account.js'
import type { AccountRecord } from '../pool/poolState.js'
import { ms } from '../instants.js'
import { lastHour, probeTakesAtMost } from './accountRecord.js'
import type { Standing } from './eligibility.js'

/**
 * Extra probes, for a parked session whose time has come, keep this distance and stay below this number an hour. No key: the other
 * side throttles who asks more often, and the busy account first.
 */
export const extraProbeEvery = 60_000
export const probesPerHour = 20

const hour = 3_600_000

/** Whether a probe is under way. One that has not come back in time is given up, so that nothing waits for it forever. */
export const isAsking = (account: AccountRecord, now: number): boolean =>
  account.asking !== null && now - ms(account.asking) < probeTakesAtMost

const lastProbe = (account: AccountRecord): number =>
  Math.max(
    account.probedAt === null ? -Infinity : ms(account.probedAt),
    ...account.probes.slice(-1).map((start) => ms(start)),
  )

/** The first instant, not before `now`, at which the account may be asked; `extra` where a session's time has come. */
export function mayAskAt(account: AccountRecord, extra: boolean, timing: Timing, now: number): number {
  const distance = extra ? Math.min(extraProbeEvery, timing.probeEvery) : timing.probeEvery
  const recent = lastHour(account.probes, now)
  const oldest = recent[recent.length - probesPerHour]
  const slidesOut = oldest === undefined ? -Infinity : ms(oldest) + hour
  return Math.max(now, lastProbe(account) + distance, slidesOut)
}

/** Causes that a probe can end earlier than their time. */
const canBeAsked = (standing: Standing): boolean =>
  standing.kind !== 'unable' ||
  standing.cause === 'walled' ||
  standing.cause === 'ceiling' ||
  standing.cause === 'logged-out' ||
  standing.cause === 'trial'

/** Windows seldom begin anew before their time, and each look costs: no more often than this part of what is left. */
const earlyLooks = 12
const earlyLookEvery = 30 * 60_000

/** When an account in this state is worth asking for the sake of a waiting session; null where it isn't. */
export function askAt(
  account: AccountRecord,
  standing: Standing,
  timing: Timing,
  now: number,
): number | null {
  if (standing.kind === 'proven' || standing.kind === 'unproven' || !canBeAsked(standing)) return null
  if (standing.kind === 'unknown') return mayAskAt(account, standing.reset, timing, now)
  const routine = mayAskAt(account, false, timing, now)
  if (standing.until === null) return routine
  const pause = Math.min((standing.until - now) / earlyLooks, earlyLookEvery)
  return Math.max(routine, Math.min(lastProbe(account) + pause, standing.until))
}
