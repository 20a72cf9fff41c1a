/**
 * What the host does for one service: checks with the product's own judgement, and starts and ends it as a
 * real host would. Checks between two calls are made up for, each at its own instant, so that a quiet day
 * takes a handful of calls.
 */
import type { ServiceStartResult } from '../../../activities/services/contracts.js'
import { type Trouble, isTrouble } from '../../../policy/service/service.js'
import {
  hasRecovered,
  type ServiceJudgement,
  judgeService,
  type CheckRules,
  type CheckMemory,
  needsBusyCheck,
  emptyMemory,
} from '../../../policy/service/judgement.js'
import type { Log } from './log.js'
import type { Process, Service } from './service.js'
import { hour, minute, second, type Span, spanAt } from './spans.js'
import { failureFrom } from '../../../activities/failures.js'
import { StaleFenceError } from '../../../host/errors.js'

/** As the product's watch does it (activities/services/watch.ts). */
const aliveEvery = 2 * second
const awaitEvery = 3 * second
const rolloverAfter = 24 * hour

/** The host's worker starts again this long after it is back. */
const pickUpDelay = 2 * second

export type WatchObservation =
  | { kind: 'trouble'; verdict: Trouble; why: string; at: number }
  | { kind: 'back' | 'over' | 'rollover'; at: number }

/** A watch of the service: it checks until it has an observation to return. */
export interface PendingWatch {
  startedAt: number
  nextAt: number
  /** What counts as new to it. */
  trouble: boolean
  /** Signs of life newer than this are worth reporting; null if none are. */
  backSince: number | null
  /** It ends at this instant whatever it sees. */
  until: number
  seen: WatchObservation | null
}

interface Known {
  memory: CheckMemory
  grewAt: { newest: number; at: number } | null
}

export interface ServiceCheck extends ServiceJudgement {
  at: number
  process: Process | null
}

export class WatchSimulation {
  readonly service: Service
  readonly rules: CheckRules
  readonly #log: Log
  readonly #downSpans: readonly Span[]
  readonly #pendingWatches = new Map<string, PendingWatch>()
  #known: Known = { memory: emptyMemory, grewAt: null }
  #fence = 0
  #now = 0

  constructor(service: Service, log: Log, downSpans: readonly Span[]) {
    this.service = service
    this.rules = { service: service.name, ...service.plan.rules }
    this.#log = log
    this.#downSpans = downSpans
  }

  /** Makes up for the checks until now; the steps of a host come one after the other. */
  advanceTo(instant: number): number {
    this.#now = Math.max(this.#now, instant)
    for (let next = this.#next(); next !== null && next.nextAt <= this.#now; next = this.#next())
      this.#step(next, this.#known)
    return this.#now
  }

  #next(): PendingWatch | null {
    const open = [...this.#pendingWatches.values()].filter(({ seen }) => seen === null)
    return open.toSorted((a, b) => a.nextAt - b.nextAt)[0] ?? null
  }

  /** One watch of a kind at a time: a new one replaces the one before. */
  awaitWatch(
    kind: string,
    key: string,
    make: (now: number) => Omit<PendingWatch, 'nextAt' | 'seen' | 'startedAt'>,
  ): PendingWatch {
    const id = `${kind} ${key}`
    const known = this.#pendingWatches.get(id)
    if (known !== undefined) return known
    for (const other of this.#pendingWatches.keys())
      if (other.startsWith(`${kind} `)) this.#pendingWatches.delete(other)
    const watch: PendingWatch = { ...make(this.#now), startedAt: this.#now, nextAt: this.#now, seen: null }
    this.#pendingWatches.set(id, watch)
    this.advanceTo(this.#now)
    return watch
  }

  /** When it is worth asking again: as far as can be told now, nothing is seen before. */
  nextObservationAt(watch: PendingWatch): number {
    if (watch.seen !== null) return this.#now
    const [dream, known] = [{ ...watch }, { ...this.#known }]
    // Without a process, people and agents may change everything at any moment.
    const horizon = this.#now + (this.service.processAt(this.#now) === null ? 10 * minute : 2 * hour)
    while (dream.seen === null && dream.nextAt < horizon) this.#step(dream, known)
    return dream.seen === null ? horizon : Math.max(dream.seen.at, this.#now)
  }

  /** One check of a watch at its instant. */
  #step(watch: PendingWatch, known: Known): void {
    const at = watch.nextAt
    const check = this.#checkAt(at, known)
    watch.seen = this.#toObservation(watch, check)
    watch.nextAt = this.#whenAwake(this.#nextCheckAt(watch, check))
  }

  #toObservation(
    { trouble, backSince, until, startedAt }: PendingWatch,
    { at, verdict, why, memory, process }: ServiceCheck,
  ): WatchObservation | null {
    if (backSince !== null && hasRecovered({ verdict, memory }, process, this.rules, at, backSince))
      return { kind: 'back', at }
    if (trouble && isTrouble(verdict)) return { kind: 'trouble', verdict, why, at }
    if (at >= until) return { kind: 'over', at }
    return at - startedAt > rolloverAfter ? { kind: 'rollover', at } : null
  }

  #nextCheckAt({ backSince, until }: PendingWatch, { at, process, nextCheckAt }: ServiceCheck): number {
    const dueAt = Math.min(backSince === null ? nextCheckAt : at + awaitEvery, Math.max(until, at + 1))
    const endsAt = this.service.plan.spec.canStart && process !== null ? this.service.endsAt(at) : null
    if (endsAt === null) return dueAt
    return Math.min(dueAt, at + Math.ceil((endsAt - at) / aliveEvery) * aliveEvery)
  }

  #whenAwake(at: number): number {
    const downSpan = spanAt(this.#downSpans, at)
    return downSpan === null ? at : downSpan.to + pickUpDelay
  }

  look(): ServiceCheck {
    return this.#checkAt(this.#now, this.#known)
  }

  #checkAt(at: number, known: Known): ServiceCheck {
    const first = this.service.check(at, false)
    const isSecond = needsBusyCheck(first, known.memory, this.rules)
    const seen = isSecond ? this.service.check(at, true) : first
    known.grewAt = grown(known.grewAt, seen.work?.grewAt ?? null, at)
    const work = seen.work === null ? null : { ...seen.work, grewAt: known.grewAt?.at ?? null }
    const judged = judgeService({ ...seen, work }, known.memory, this.rules)
    known.memory = judged.memory
    return { ...judged, at, process: this.service.processAt(at) }
  }

  /** As the product's host does it (activities/services/start.ts). */
  start(fence: number, incident: number | null, by: 'watchdog' | 'check'): ServiceStartResult {
    const { service } = this
    if (fence < this.#fence) throw failureFrom(new StaleFenceError(service.name, fence, this.#fence))
    const { process, verdict, why } = this.look()
    const isDone = fence === this.#fence && process !== null
    const isNeeded = incident === null ? process === null : isTrouble(verdict)
    if (isDone || !isNeeded || !service.plan.spec.canStart)
      return { started: isDone, pid: process?.pid ?? null }
    const at = this.#now
    if (process !== null) {
      this.#log.add(service.name, { at, kind: 'killed', pid: process.pid, by, why })
      service.end(process, at)
    }
    this.#fence = fence
    const { pid } = service.start(at, by)
    this.#log.add(service.name, { at, kind: 'started', by, pid, fence, incident })
    this.look()
    return { started: true, pid }
  }
}

/**
 * As the product's second look does it: the first one notes the state, and after that the state has to have
 * grown.
 */
function grown(before: Known['grewAt'], newest: number | null, now: number): Known['grewAt'] {
  if (newest === null) return null
  if (before === null) return { newest, at: newest }
  return newest > before.newest ? { newest, at: Math.min(newest, now) } : before
}
