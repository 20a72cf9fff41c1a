/** One look at a service: what was seen, together with what is remembered of earlier looks, becomes a verdict. */
import { hasSlept } from '../hostSleep.js'
import { type BeatReading, judgeBeat, type ProcessTree } from './beats.js'
import { iso, ms } from '../instants.js'
import type { OwnBeat, Verdict } from './service.js'

/** The process that is guarded: by its id and its start, so that a reused id is never taken for it. */
export interface Guarded {
  pid: number
  start: string
  /** ms since the epoch. */
  startedAt: number
  tree: ProcessTree
}

export interface LookRules {
  service: string
  every: number
  heartbeat: { staleAfter: number; anyone: boolean } | null
  /** Null where there is no second look: a stale beat is then all that there is to know. */
  busyCheck: { within: number; atMost: number } | null
  /** A process that runs for longer than this is to be ended; null for no bound. */
  timeout: number | null
}

export interface Seen {
  now: number
  /** How long the host has slept since it was booted, in ms; only differences count. */
  asleep: number
  /** Null where it is not there. */
  process: Guarded | null
  /** How the process is known to have ended, for people. */
  ended: string | null
  /** Null where no heartbeat is configured. */
  beat: BeatReading | null
  /** Why nobody could beat now, such as a full disk; null where nothing is known to be in the way. */
  beatBlocked: string | null
  /**
   * What the second look saw; null where it was not taken. `grewAt`: when something that shows work was last seen to
   * grow, ms since the epoch, or null.
   */
  work: { grewAt: number | null; what: string } | null
}

/** What is kept from one look to the next. */
export interface Memory {
  /** The newest beat that was proven, of the process that `pid` and `start` name. */
  beat: OwnBeat | null
  pid: number | null
  start: string | null
  /** First look at which the beat was stale; null while it is fresh. */
  staleSince: string | null
  /** Last proof of life before any trouble: where an incident's time down begins. */
  wellAt: string | null
  /** `Seen.asleep` of this look. */
  asleep: number
  /** When this process was first looked at after a sleep of its host, which kept it from beating; null without one. */
  awakeAt: string | null
  /** The newest look at this process at which its beat could not be written or read; null without one. */
  blockedAt: string | null
}

export const noMemory: Memory = {
  beat: null,
  pid: null,
  start: null,
  staleSince: null,
  wellAt: null,
  asleep: 0,
  awakeAt: null,
  blockedAt: null,
}

export interface Judged {
  verdict: Verdict
  /** One line for a person: what the verdict rests on. */
  why: string
  memory: Memory
  /** When to look again, ms since the epoch. */
  nextLookAt: number
}

/** A stale service is looked at this much more often than a fresh one. */
const soonerBy = 5

/** Whether the second look is needed to judge this: only then is it taken, since it costs time. */
export const needsSecondLook = (seen: Seen, memory: Memory, rules: LookRules): boolean =>
  rules.busyCheck !== null && seen.process !== null && proofOf(seen, memory, rules).isStale

export function judgeLook(seen: Seen, memory: Memory, rules: LookRules): Judged {
  const { now, process } = seen
  if (process === null) {
    const { wellAt, staleSince } = memory
    const why = seen.ended ?? 'it is not there'
    return {
      ...{ verdict: 'missing', why, nextLookAt: now + rules.every },
      memory: { ...noMemory, wellAt, staleSince },
    }
  }
  const proof = proofOf(seen, memory, rules)
  const known: Memory = { ...proof.memory, pid: process.pid, start: process.start }
  if (rules.timeout !== null && now - process.startedAt > rules.timeout)
    return judged('frozen', 'it has run for longer than its timeout', { ...known, staleSince: iso(now) })
  if (!proof.isStale)
    return {
      ...{ verdict: 'well', why: proof.why, nextLookAt: Math.min(now + rules.every, proof.staleAt) },
      memory: {
        ...known,
        staleSince: null,
        wellAt: proof.provedAt === null ? iso(now) : iso(proof.provedAt),
      },
    }
  const stale: Memory = { ...known, staleSince: memory.staleSince ?? iso(now) }
  const { busyCheck } = rules
  const blocked = blockOf(seen)
  if (busyCheck !== null && seen.work !== null) {
    const { grewAt, what } = seen.work
    const isBusy = grewAt !== null && now - grewAt <= busyCheck.within
    const isTooLong = now - ms(stale.staleSince ?? iso(now)) > busyCheck.atMost
    if (isBusy && !isTooLong) return judged('busy', `${proof.why}, but ${what}`, stale)
    if (isBusy && blocked === null)
      return judged('frozen', `${proof.why}; ${what}, but that has gone on for too long`, stale)
  }
  if (blocked !== null) return judged('blind', `${proof.why}, and ${blocked}`, stale)
  const second = seen.work === null ? '' : ', and nothing shows that it works'
  return judged('frozen', `${proof.why}${second}`, stale)

  function judged(verdict: Verdict, why: string, memory: Memory): Judged {
    return { verdict, why, memory, nextLookAt: now + Math.max(1_000, Math.round(rules.every / soonerBy)) }
  }
}

/** Why no beat could come or be read now, or null. */
const blockOf = ({ beat, beatBlocked }: Seen): string | null =>
  beatBlocked ?? (beat?.kind === 'unreadable' ? beat.why : null)

interface Proof {
  isStale: boolean
  /** When the present proof runs out, ms since the epoch. */
  staleAt: number
  /** The newest sign of life; null where being there is the only one. */
  provedAt: number | null
  why: string
  memory: Memory
}

/**
 * Age counts from the newest own beat of this very process, or from its start while it has not beaten yet, and never
 * from before its host woke up or its beat was free again: whoever sleeps, or has no room to write, can't beat (law 6).
 * A worker that was merely away is no such excuse.
 */
function proofOf(seen: Seen, memory: Memory, rules: LookRules): Proof {
  const { now, asleep, process, beat } = seen
  const isBlocked = blockOf(seen) !== null
  const isSame = process !== null && memory.pid === process.pid && memory.start === process.start
  const wasAsleep = isSame && hasSlept(memory.asleep, asleep)
  const known: Memory = {
    ...(isSame ? memory : { ...memory, beat: null, staleSince: null, awakeAt: null, blockedAt: null }),
    asleep,
    ...(wasAsleep ? { awakeAt: iso(now) } : {}),
    ...(isBlocked ? { blockedAt: iso(now) } : {}),
  }
  if (process === null || rules.heartbeat === null || beat === null)
    return { isStale: false, staleAt: Infinity, provedAt: null, why: 'it is there', memory: known }
  const { staleAfter, anyone } = rules.heartbeat
  const judgement = judgeBeat(beat, { service: rules.service, tree: process.tree, anyone, now })
  const own = newer(known.beat, judgement.proves ? judgement.beat : null)
  const provedAt = Math.max(process.startedAt, own === null ? 0 : ms(own.at))
  // While it is blocked, its silence is told, and proves nothing.
  const free = isBlocked ? null : known.blockedAt
  const excuses = [known.awakeAt, free].map((at) => (at === null ? 0 : ms(at)))
  const since = Math.max(provedAt, ...excuses)
  const isStale = now - since > staleAfter
  const last = own === null ? 'it has not beaten since it was started' : `its own last beat was at ${own.at}`
  const why = judgement.proves || !isStale ? last : `${last} (${judgement.why})`
  return { isStale, staleAt: since + staleAfter + 1, provedAt, why, memory: { ...known, beat: own } }
}

const newer = (a: OwnBeat | null, b: OwnBeat | null): OwnBeat | null =>
  a === null ? b : b === null ? a : ms(b.at) >= ms(a.at) ? b : a

/** Up for this long without trouble, a service without a heartbeat counts as well again after a restart. */
export const settledAfter = (every: number): number => Math.min(every, 30_000)

/** Whether a restarted service is well again: with a heartbeat its own beat has to be back, else it has to stay up. */
export function isBack(
  { verdict, memory }: Pick<Judged, 'verdict' | 'memory'>,
  process: Pick<Guarded, 'startedAt'> | null,
  rules: Pick<LookRules, 'heartbeat' | 'every'>,
  now: number,
  since: number,
): boolean {
  if (verdict !== 'well' || process === null) return false
  if (rules.heartbeat !== null) return memory.beat !== null && ms(memory.beat.at) >= since
  return now - Math.max(process.startedAt, since) >= settledAfter(rules.every)
}
