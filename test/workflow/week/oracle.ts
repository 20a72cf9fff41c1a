/**
 * Finds breaches of a law afterwards, in what happened to one service. Its times are those of the docs,
 * computed here separately and from the truth: the product's own judgement is not used.
 */
import { type LoggedEntry, formatEntry } from './log.js'
import { agentTimeout, type ServicePlan } from './plan.js'
import type { Process, Service } from './service.js'
import { hour, minute, overlap, second, type Span } from './spans.js'

/** What steps and their retries may take on a busy machine. */
const slack = 30 * second
/** After its host was down, all work has to be resumed. */
const pickUpDelay = 3 * minute
const exitSeenAfter = 2 * second
const longestRest = 6 * hour
const longestRestWithout = hour

export interface Violation {
  at: number
  what: string
  /** What has happened to the service since the incident before this one was over. */
  history: string[]
}

export class Oracle {
  readonly #service: Service
  readonly #plan: ServicePlan
  readonly #log: readonly LoggedEntry[]
  readonly #out: readonly Span[]
  readonly #suspended: readonly Span[]
  readonly #end: number
  readonly violations: Violation[] = []

  constructor(
    service: Service,
    log: readonly LoggedEntry[],
    workerDown: readonly Span[],
    suspended: readonly Span[],
    end: number,
  ) {
    this.#service = service
    this.#plan = service.plan
    this.#log = log
    this.#suspended = suspended
    this.#out = [...workerDown, ...suspended, ...service.plan.paused]
    this.#end = end
  }

  judge(): Violation[] {
    this.#oneAtATime()
    for (const [index, entry] of this.#log.entries()) this.#judge(entry, this.#log.slice(0, index))
    for (const down of this.downs()) this.#staysDown(down)
    return this.violations.toSorted((a, b) => a.at - b.at)
  }

  #addViolation(at: number, what: string): void {
    const until = this.#log.filter((entry) => entry.at <= at)
    const over = until.findLastIndex((entry, index) => index < until.length - 4 && isOver(entry))
    const history = until.slice(over + 1).map(formatEntry)
    this.violations.push({ at, what: `${this.#service.name}: ${what}`, history })
  }

  #process(pid: number | null): Process | null {
    return this.#service.processes.find((process) => process.pid === pid) ?? null
  }

  /** Law 7: no service runs twice. */
  #oneAtATime(): void {
    for (const [index, { pid, endsAt }] of this.#service.processes.entries()) {
      const next = this.#service.processes[index + 1]
      if (next !== undefined && (endsAt ?? Infinity) > next.startedAt)
        this.#addViolation(next.startedAt, `process ${next.pid} was started beside ${pid} (law 7)`)
    }
  }

  #judge(entry: LoggedEntry, before: readonly LoggedEntry[]): void {
    const { at } = entry
    if (entry.kind === 'killed') this.#mayKill(entry)
    if (entry.kind === 'trouble') this.#isTrouble(entry)
    if (entry.kind === 'back')
      this.#provenWell(entry.pid, entry.seenAt, `incident ${entry.incident} was ended`)
    if (entry.kind === 'checked' && entry.well) this.#provenWell(entry.pid, at, 'the check agreed')
    if (entry.kind === 'started') this.#mayStart(entry, before)
    if (entry.kind === 'asked which agent to wake') this.#mayWake(entry, before)
    if (entry.kind === 'woken' && isAtWork(before, entry.incident))
      this.#addViolation(at, 'an agent was woken beside another')
    if (entry.kind === 'told' || entry.kind === 'notified of a question') this.#mayNotify(entry, before)
  }

  #mayNotify(
    { at, kind, incident }: Extract<LoggedEntry, { kind: 'told' | 'notified of a question' }>,
    before: readonly LoggedEntry[],
  ): void {
    if (before.some((one) => one.kind === kind && one.incident === incident))
      this.#addViolation(at, `a person was ${kind} twice of incident ${incident}`)
  }

  /** Law 6: what is well, or busy, is not killed. */
  #mayKill({ at, pid, why }: Extract<LoggedEntry, { kind: 'killed' }>): void {
    if (!this.#isSick(this.#process(pid)!, at))
      this.#addViolation(at, `process ${pid} was killed while it was well: ${why} (law 6)`)
  }

  #isTrouble({ seenAt, why }: Extract<LoggedEntry, { kind: 'trouble' }>): void {
    const process = this.#service.processes.findLast(({ startedAt }) => startedAt <= seenAt)
    const isGone = process === undefined || (process.endsAt !== null && process.endsAt <= seenAt)
    if (!isGone && !this.#isSick(process, seenAt)) this.#addViolation(seenAt, `false alarm: ${why} (law 6)`)
  }

  /** It is silent for longer than allowed, and nothing else explains that. */
  #isSick(process: Process, at: number): boolean {
    const { heartbeat, busyCheck } = this.#plan.rules
    if (heartbeat === null) return false
    const isMute = process.muteFrom !== null && process.muteFrom <= at
    // Its last heartbeats may have been overwritten by others before they were read.
    if (isMute && this.#plan.faults.some((fault) => fault.kind === 'echo' && fault.at === process.muteFrom))
      return true
    const last = this.#service.beatOf(process, at) ?? process.startedAt
    const excused = overlap({ from: last, to: at }, [...this.#suspended, ...this.#longBlocks()]).ms
    const silentFor = at - last - excused
    return silentFor > heartbeat.staleAfter + (!isMute && busyCheck !== null ? busyCheck.maxBusy : 0)
  }

  /**
   * A time in which no heartbeat could be written is an excuse if it is so long that a check must have met
   * it.
   */
  #longBlocks(): Span[] {
    const { every, heartbeat } = this.#plan.rules
    const least = every + (heartbeat?.staleAfter ?? 0)
    return this.#plan.blocked.filter((span) => span.to - span.from - overlap(span, this.#out).ms > least)
  }

  /** Law 9: with a heartbeat only its own beat proves that it is back. */
  #provenWell(pid: number | null, at: number, what: string): void {
    const process = this.#process(pid)
    if (process === null) {
      this.#addViolation(at, `${what}, and nothing runs (law 9)`)
      return
    }
    const proof = this.#plan.rules.heartbeat === null ? process.startedAt : this.#service.beatOf(process, at)
    if (proof === null)
      this.#addViolation(at, `${what} without a heartbeat of process ${process.pid} (law 9)`)
  }

  #mayStart(
    { at, by, pid, fence, incident }: Extract<LoggedEntry, { kind: 'started' }>,
    before: readonly LoggedEntry[],
  ): void {
    // A start whose answer was lost, and whose process is gone, is carried out again.
    const isAgain = before.some((one) => one.kind === 'started' && one.fence === fence)
    if (by !== 'watchdog' || isAgain) return
    if (isHandedOver(before))
      this.#addViolation(at, `process ${pid} was started by the watchdog while agents were at work`)
    const { limit } = this.#plan.spec.restarts
    const restarts = this.#restarts(before, at).length
    // If no agent can be started it goes on, and says so.
    const isTold = this.#log.some(
      (one) => one.kind === 'told' && one.incident === incident && one.at <= at + pickUpDelay,
    )
    const mayGoOn = this.#plan.spec.wakeUp === null && isTold
    if (restarts >= limit && !mayGoOn)
      this.#addViolation(at, `restart ${restarts + 1} came after the limit of ${limit}`)
  }

  #mayWake(
    { at, incident, attempt }: Extract<LoggedEntry, { kind: 'asked which agent to wake' }>,
    before: readonly LoggedEntry[],
  ): void {
    const requests = before.filter(
      (one) => one.kind === 'asked which agent to wake' && one.incident === incident,
    )
    const woken = before.filter((one) => one.kind === 'woken' && one.incident === incident).length
    if (attempt !== woken + 1 && !this.#wasCalledOff(before, incident))
      this.#addViolation(at, `agent ${attempt} of incident ${incident} came after ${woken} others`)
    if (requests.length > 0 || !this.#plan.spec.canStart) return
    const { limit, within } = this.#plan.spec.restarts
    const restarts = before.filter(
      (one) => one.kind === 'started' && one.by === 'watchdog' && at - one.at < within + slack,
    ).length
    if (restarts < limit)
      this.#addViolation(at, `agents were woken after ${restarts} restarts, ${limit} are allowed`)
  }

  /** A pause ends the escalation; the next one of the same incident counts its agents from zero. */
  #wasCalledOff(before: readonly LoggedEntry[], incident: number): boolean {
    const first = before.find((one) => one.kind === 'asked which agent to wake' && one.incident === incident)
    return before.some((one) => one.kind === 'paused' && one.at > (first?.at ?? Infinity))
  }

  /** Restarts that count: the first start does not, and an escalation that healed resets the count. */
  #restarts(before: readonly LoggedEntry[], at: number): LoggedEntry[] {
    const { within } = this.#plan.spec.restarts
    const cleared = before.findLast((one) => one.kind === 'closed')?.at ?? 0
    const counted = before.flatMap((one) =>
      one.kind === 'started' &&
      one.by === 'watchdog' &&
      one.incident !== null &&
      one.at > cleared &&
      at - one.at < within
        ? [one]
        : [],
    )
    return counted.filter(({ fence }, index) => counted.findIndex((one) => one.fence === fence) === index)
  }

  /** Stretches in which no working process existed. */
  downs(): Span[] {
    const good = this.#service.processes.filter(({ isBad }) => !isBad)
    const downs: Span[] = []
    for (const [index, { startedAt, muteFrom, endsAt }] of good.entries()) {
      const from = Math.min(muteFrom ?? Infinity, endsAt ?? Infinity)
      const to = good[index + 1]?.startedAt ?? this.#end
      if (from < to && startedAt < this.#end) downs.push({ from, to })
    }
    return downs
  }

  /** Law 10: from each event while the service is down, the next one follows within its stated time. */
  #staysDown(down: Span): void {
    const during = this.#log.filter(({ at }) => at > down.from && at < down.to)
    let last: LoggedEntry = { kind: 'resumed', at: down.from }
    for (const next of [...during, { kind: 'resumed' as const, at: down.to }]) {
      const allowed = this.#allowed(last, next.at, down)
      const duration = next.at - last.at
      if (duration > allowed.ms)
        this.#addViolation(
          next.at,
          `down since ${new Date(down.from).toISOString()}: ${seconds(duration)} passed, ${seconds(allowed.ms)} are stated (${allowed.why}), after: ${formatEntry(last)} (law 10)`,
        )
      last = next
    }
  }

  #allowed({ at, kind }: LoggedEntry, to: number, down: Span): { ms: number; why: string } {
    const before = this.#log.filter((one) => one.at <= at)
    const since = this.#log.filter((one) => one.at > down.from && one.at <= at)
    const process = this.#service.processes.find(
      (one) => one.startedAt <= at && at < (one.endsAt ?? Infinity),
    )
    const isSilent = process !== undefined && process.muteFrom !== null
    const { ms, count } = overlap({ from: at, to }, [...this.#out, ...(isSilent ? this.#plan.blocked : [])])
    const detect = isSilent
      ? this.#silenceSeenAfter() * (1 + count)
      : (process?.endsAt ?? at) - at + this.#exitSeenAfter()
    const excused = ms + count * pickUpDelay + slack
    const { wakeUp, every } = this.#plan.spec
    const wasNotified = since.some((one) => one.kind === 'told')
    const agents = Math.max(agentTimeout, this.#plan.heartbeatWithin)
    if (wasNotified)
      return {
        ms: excused + detect + every + (wakeUp === null ? longestRestWithout : longestRest + agents),
        why: 'a person was notified',
      }
    if (kind === 'paused') return { ms: excused + detect, why: 'people have paused it' }
    if (isHandedOver(before)) return { ms: excused + agents, why: 'agents are at work' }
    return { ms: excused + detect + this.#pause(before, at), why: 'the watchdog sees it, and waits' }
  }

  #silenceSeenAfter(): number {
    const { heartbeat, busyCheck, every } = this.#plan.rules
    const stale = heartbeat?.staleAfter ?? 0
    return Math.max(stale, busyCheck?.within ?? 0) + every / 5 + second
  }

  /** A service that others start is checked at intervals; ours is watched all the time. */
  #exitSeenAfter(): number {
    return this.#plan.spec.canStart ? exitSeenAfter : this.#plan.spec.every
  }

  /** The wait before the next restart: none before the first, then doubled up to `every`. */
  #pause(before: readonly LoggedEntry[], at: number): number {
    const { every, restarts } = this.#plan.spec
    const count = this.#restarts(before, at).length
    return count === 0 ? 0 : Math.min(restarts.backoff * 2 ** (count - 1), Math.max(every, restarts.backoff))
  }
}

const isOver = ({ kind }: LoggedEntry): boolean => kind === 'back' || kind === 'closed'

const seconds = (ms: number): string => `${Math.round(ms / second)} s`

const isAtWork = (before: readonly LoggedEntry[], incident: number): boolean =>
  before.findLast((one) => (one.kind === 'woken' || one.kind === 'agent ended') && one.incident === incident)
    ?.kind === 'woken'

/** From the choice of an agent to the end of the incident, unless a person has paused it. */
function isHandedOver(before: readonly LoggedEntry[]): boolean {
  const last = before.findLast(({ kind }) => ['asked which agent to wake', 'closed', 'paused'].includes(kind))
  return last?.kind === 'asked which agent to wake'
}
