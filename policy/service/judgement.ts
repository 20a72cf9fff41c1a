/** The verdict on a service, from one observation and what is remembered of earlier ones. */
import { hasSlept } from '../hostSleep.js'
import { type BeatReading, judgeBeat, type ProcessTree } from './beats.js'
import { iso, toMs } from '../instants.js'
import type { ProvenBeat, Verdict } from './service.js'

/** The guarded process, by its id and its start: a reused id is not mistaken for it. */
export interface GuardedProcess {
  pid: number
  start: string
  /** ms since the epoch. */
  startedAt: number
  tree: ProcessTree
}

export interface CheckRules {
  service: string
  every: number
  heartbeat: { staleAfter: number; anyone: boolean } | null
  /** Null if there is no busy check: then a stale heartbeat decides alone. */
  busyCheck: { within: number; maxBusy: number } | null
  /** A process that runs for longer than this is to be ended; null for no bound. */
  timeout: number | null
}

export interface ServiceObservation {
  now: number
  /** How long the host has slept, or its clock was set forward, in ms; only differences count. */
  sleptMs: number
  /** Null if there is none. */
  process: GuardedProcess | null
  /** How the process is known to have ended, for people. */
  ended: string | null
  /** Null if no heartbeat is configured. */
  beat: BeatReading | null
  /** Why no heartbeat could be written now, such as a full disk, or null. */
  beatBlocked: string | null
  /**
   * The result of the busy check; null if it was not made. `grewAt`: when a file that shows work last grew, ms since the epoch,
   * or null.
   */
  work: { grewAt: number | null; what: string } | null
}

/** What is kept from one observation to the next. */
export interface CheckMemory {
  /** The newest proven beat of the process with this `pid` and `start`. */
  beat: ProvenBeat | null
  pid: number | null
  start: string | null
  /** The first observation at which the heartbeat was stale; null while it is fresh. */
  staleSince: string | null
  /** The last proof of life before any trouble: the downtime of an incident begins there. */
  wellAt: string | null
  /** As it was at this observation. */
  sleptMs: number
  /** When this process was first observed after its host slept, which kept it from beating, or null. */
  wokeAt: string | null
  /** The newest observation at which its heartbeat could not be written or read, or null. */
  blockedAt: string | null
}

export const emptyMemory: CheckMemory = {
  beat: null,
  pid: null,
  start: null,
  staleSince: null,
  wellAt: null,
  sleptMs: 0,
  wokeAt: null,
  blockedAt: null,
}

export interface ServiceJudgement {
  verdict: Verdict
  /** One line for a person: the reason of the verdict. */
  why: string
  memory: CheckMemory
  /** When the next check is due, ms since the epoch. */
  nextCheckAt: number
}

/** A stale service is checked this many times as often as a fresh one. */
const staleCheckFactor = 5

/** Whether the busy check is needed for the verdict: it is made only then, since it costs time. */
export const needsBusyCheck = (
  observed: ServiceObservation,
  memory: CheckMemory,
  rules: CheckRules,
): boolean =>
  rules.busyCheck !== null && observed.process !== null && proofOfLife(observed, memory, rules).isStale

export function judgeService(
  observed: ServiceObservation,
  memory: CheckMemory,
  rules: CheckRules,
): ServiceJudgement {
  const { now, process } = observed
  if (process === null) {
    const { wellAt, staleSince } = memory
    const why = observed.ended ?? 'it is not there'
    return {
      ...{ verdict: 'missing', why, nextCheckAt: now + rules.every },
      memory: { ...emptyMemory, wellAt, staleSince },
    }
  }
  const proof = proofOfLife(observed, memory, rules)
  const known: CheckMemory = { ...proof.memory, pid: process.pid, start: process.start }
  if (rules.timeout !== null && now - process.startedAt > rules.timeout)
    return judged('frozen', 'it has run for longer than its timeout', { ...known, staleSince: iso(now) })
  if (!proof.isStale)
    return {
      ...{ verdict: 'well', why: proof.why, nextCheckAt: Math.min(now + rules.every, proof.staleAt) },
      memory: {
        ...known,
        staleSince: null,
        wellAt: proof.provedAt === null ? iso(now) : iso(proof.provedAt),
      },
    }
  const stale: CheckMemory = { ...known, staleSince: memory.staleSince ?? iso(now) }
  const { busyCheck } = rules
  const blocked = beatBlockedBy(observed)
  if (busyCheck !== null && observed.work !== null) {
    const { grewAt, what } = observed.work
    const isBusy = grewAt !== null && now - grewAt <= busyCheck.within
    const isTooLong = now - toMs(stale.staleSince ?? iso(now)) > busyCheck.maxBusy
    if (isBusy && !isTooLong) return judged('busy', `${proof.why}, but ${what}`, stale)
    if (isBusy && blocked === null)
      return judged('frozen', `${proof.why}; ${what}, but that has gone on for too long`, stale)
  }
  if (blocked !== null) return judged('blind', `${proof.why}, and ${blocked}`, stale)
  const second = observed.work === null ? '' : ', and nothing shows that it works'
  return judged('frozen', `${proof.why}${second}`, stale)

  function judged(verdict: Verdict, why: string, memory: CheckMemory): ServiceJudgement {
    return {
      verdict,
      why,
      memory,
      nextCheckAt: now + Math.max(1_000, Math.round(rules.every / staleCheckFactor)),
    }
  }
}

/** Why no heartbeat could be written or read now, or null. */
const beatBlockedBy = ({ beat, beatBlocked }: ServiceObservation): string | null =>
  beatBlocked ?? (beat?.kind === 'unreadable' ? beat.why : null)

interface LifeProof {
  isStale: boolean
  /** When the newest proof expires, ms since the epoch. */
  staleAt: number
  /** The newest sign of life; null if the process itself is the only one. */
  provedAt: number | null
  why: string
  memory: CheckMemory
}

/**
 * Age counts from the newest beat of this very process, or from its start before the first beat. It never counts from before its
 * host woke up, or from while the heartbeat could not be written: a service can't beat then (law 6). An absence of the worker
 * makes no difference.
 */
function proofOfLife(observed: ServiceObservation, memory: CheckMemory, rules: CheckRules): LifeProof {
  const { now, sleptMs, process, beat } = observed
  const isBlocked = beatBlockedBy(observed) !== null
  const isSame = process !== null && memory.pid === process.pid && memory.start === process.start
  const wasAsleep = isSame && hasSlept(memory.sleptMs, sleptMs)
  const known: CheckMemory = {
    ...(isSame ? memory : { ...memory, beat: null, staleSince: null, wokeAt: null, blockedAt: null }),
    sleptMs,
    ...(wasAsleep ? { wokeAt: iso(now) } : {}),
    ...(isBlocked ? { blockedAt: iso(now) } : {}),
  }
  if (process === null || rules.heartbeat === null || beat === null)
    return { isStale: false, staleAt: Infinity, provedAt: null, why: 'it is there', memory: known }
  const { staleAfter, anyone } = rules.heartbeat
  const judgement = judgeBeat(beat, { service: rules.service, tree: process.tree, anyone, now })
  const own = newer(known.beat, judgement.proves ? judgement.beat : null)
  const provedAt = Math.max(process.startedAt, own === null ? 0 : toMs(own.at))
  // While the heartbeat is blocked, a missing beat proves nothing.
  const unblockedAt = isBlocked ? null : known.blockedAt
  const excuses = [known.wokeAt, unblockedAt].map((at) => (at === null ? 0 : toMs(at)))
  const since = Math.max(provedAt, ...excuses)
  const isStale = now - since > staleAfter
  const last = own === null ? 'it has not beaten since it was started' : `its own last beat was at ${own.at}`
  const why = judgement.proves || !isStale ? last : `${last} (${judgement.why})`
  return { isStale, staleAt: since + staleAfter + 1, provedAt, why, memory: { ...known, beat: own } }
}

const newer = (a: ProvenBeat | null, b: ProvenBeat | null): ProvenBeat | null =>
  a === null ? b : b === null ? a : toMs(b.at) >= toMs(a.at) ? b : a

/** A service without a heartbeat counts as well again if it runs this long after a restart. */
const settledAfter = (every: number): number => Math.min(every, 30_000)

/** Whether a restarted service is well again: it has to beat again if it has a heartbeat, else it has to stay up. */
export function hasRecovered(
  { verdict, memory }: Pick<ServiceJudgement, 'verdict' | 'memory'>,
  process: Pick<GuardedProcess, 'startedAt'> | null,
  rules: Pick<CheckRules, 'heartbeat' | 'every'>,
  now: number,
  since: number,
): boolean {
  if (verdict !== 'well' || process === null) return false
  if (rules.heartbeat !== null) return memory.beat !== null && toMs(memory.beat.at) >= since
  return now - Math.max(process.startedAt, since) >= settledAfter(rules.every)
}
