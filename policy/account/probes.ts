/** When an account may be probed: a probe spends no budget, but the usage endpoint is throttled for all who share the login. */
import type { Timing } from './account.js'
import type { AccountRecord } from '../pool/poolState.js'
import { toMs } from '../instants.js'
import { withinLastHour, probeTimeout } from './accountRecord.js'
import type { Eligibility } from './eligibility.js'

/**
 * Limits of extra probes, for a parked session that is due: the least time between two, and the number in an hour. Not configurable: the
 * provider throttles more frequent requests, and those of busy accounts first.
 */
export const extraProbeEvery = 60_000
const probesPerHour = 20

const hour = 3_600_000

/** Whether a probe is under way. One that takes too long is given up, so that nothing waits for it forever. */
export const isProbing = (account: AccountRecord, now: number): boolean =>
  account.probingSince !== null && now - toMs(account.probingSince) < probeTimeout

const lastProbe = (account: AccountRecord): number =>
  Math.max(
    account.probedAt === null ? -Infinity : toMs(account.probedAt),
    ...account.recentProbes.slice(-1).map((start) => toMs(start)),
  )

/** The first instant, not before `now`, at which the account may be probed. `extra`: a parked session is due. */
export function earliestProbeAt(account: AccountRecord, extra: boolean, timing: Timing, now: number): number {
  const distance = extra ? Math.min(extraProbeEvery, timing.probeEvery) : timing.probeEvery
  const recent = withinLastHour(account.recentProbes, now)
  const oldest = recent[recent.length - probesPerHour]
  const slidesOut = oldest === undefined ? -Infinity : toMs(oldest) + hour
  return Math.max(now, lastProbe(account) + distance, slidesOut)
}

/** Causes that a probe can end earlier than their time. */
const canProbeHelp = (eligibility: Eligibility): boolean =>
  eligibility.kind !== 'ineligible' ||
  eligibility.cause === 'walled' ||
  eligibility.cause === 'ceiling' ||
  eligibility.cause === 'logged-out' ||
  eligibility.cause === 'trial'

/** Windows seldom reset early, and each probe costs: probes are at least this share of the remaining time apart. */
const earlyProbes = 12
const earlyProbeEvery = 30 * 60_000

/** When an account in this state is worth a probe for a waiting session; null if it is not. */
export function probeDueAt(
  account: AccountRecord,
  eligibility: Eligibility,
  timing: Timing,
  now: number,
): number | null {
  if (eligibility.kind === 'proven' || eligibility.kind === 'unproven' || !canProbeHelp(eligibility))
    return null
  if (eligibility.kind === 'unknown') return earliestProbeAt(account, eligibility.reset, timing, now)
  const routine = earliestProbeAt(account, false, timing, now)
  if (eligibility.until === null) return routine
  const pause = Math.min((eligibility.until - now) / earlyProbes, earlyProbeEvery)
  return Math.max(routine, Math.min(lastProbe(account) + pause, eligibility.until))
}
