/**
 * The truth about one service: its processes, what they write, and what can be observed of it. It knows
 * nothing of watchdogs.
 */
import type { BeatReading } from '../../../policy/service/beats.js'
import type { ServiceObservation } from '../../../policy/service/judgement.js'
import type { Fault, ServicePlan } from './plan.js'
import { covers, minute, second, type Span, spanAt } from './spans.js'

export interface Process {
  pid: number
  startedAt: number
  /** From here on it neither beats nor works; null if no such moment is known. */
  muteFrom: number | null
  endsAt: number | null
  /** Started while the service was broken: it never works. */
  isBad: boolean
  by: string
}

/** A process that can't work ends this soon after its start. */
const badEndsAfter = 3 * second
const firstBeatAfter = 2 * second
const echoEvery = minute

export class Service {
  readonly name: string
  readonly plan: ServicePlan
  readonly processes: Process[] = []
  readonly #suspended: readonly Span[]
  /** When an agent has ended a span in which no process could live. */
  readonly #mended: number[] = []
  #pids = 0

  constructor(name: string, plan: ServicePlan, suspended: readonly Span[]) {
    this.name = name
    this.plan = plan
    this.#suspended = suspended
  }

  start(at: number, by: string): Process {
    const broken = this.brokenAt(at)
    const muteFrom = broken?.how === 'mute' ? at : null
    const endsAt = broken?.how === 'exit' ? at + badEndsAfter : null
    const process = { pid: ++this.#pids, startedAt: at, muteFrom, endsAt, isBad: broken !== null, by }
    this.processes.push(process)
    if (broken === null) this.#foresee(process)
    return process
  }

  end(process: Process, at: number): void {
    process.endsAt = at
  }

  repair(at: number): void {
    this.#mended.push(at)
  }

  brokenAt(at: number) {
    const broken = spanAt(this.plan.broken, at)
    return broken !== null && !this.#mended.some((mended) => covers(broken, mended) && mended <= at)
      ? broken
      : null
  }

  /** The process that exists at the instant. */
  processAt(at: number): Process | null {
    const last = this.processes.at(-1)
    return last !== undefined && (last.endsAt === null || at < last.endsAt) ? last : null
  }

  isUp(at: number): boolean {
    const process = this.processAt(at)
    return process !== null && !process.isBad && (process.muteFrom === null || at < process.muteFrom)
  }

  /** The next instant at which the current process ends by itself, or null. */
  endsAt(now: number): number | null {
    return this.processAt(now)?.endsAt ?? null
  }

  /** The newest heartbeat that the process has written by then, or null. */
  beatOf({ startedAt, muteFrom, endsAt }: Process, now: number): number | null {
    const { beatEvery, silent, blocked } = this.plan
    const first = startedAt + firstBeatAfter
    let at = Math.min(now, (muteFrom ?? Infinity) - 1, (endsAt ?? Infinity) - 1)
    for (;;) {
      if (at < first) return null
      at = first + Math.floor((at - first) / beatEvery) * beatEvery
      const hole = spanAt(silent, at) ?? spanAt(blocked, at) ?? spanAt(this.#suspended, at)
      if (hole === null) return at
      at = hole.from - 1
    }
  }

  /** What a check finds at the instant; `work` if the second look is taken. */
  check(now: number, isSecond: boolean): ServiceObservation {
    const process = this.processAt(now)
    const { heartbeat, busyCheck } = this.plan.rules
    return {
      ...{ now, ended: null, sleptMs: this.#suspendedFor(now) },
      process: process === null ? null : guarded(process),
      beat: heartbeat === null ? null : this.#reading(now),
      beatBlocked: heartbeat !== null && spanAt(this.plan.blocked, now) !== null ? 'the disk is full' : null,
      work:
        isSecond && busyCheck !== null
          ? { grewAt: this.#workOf(process, now), what: 'its files grow' }
          : null,
    }
  }

  #workOf(process: Process | null, now: number): number | null {
    return process === null ? null : Math.min(now, process.muteFrom ?? Infinity)
  }

  #suspendedFor(now: number): number {
    return this.#suspended.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, now) - from), 0)
  }

  /** The file holds what was written last, by any program. */
  #reading(now: number): BeatReading {
    const own = this.processes
      .map((process) => ({ pid: process.pid, at: this.beatOf(process, now) }))
      .findLast(({ at }) => at !== null)
    const echo = this.#echoAt(now)
    if (echo !== null && echo > (own?.at ?? 0)) return beat('bot', 999_999, echo)
    return own?.at == null ? { kind: 'absent' } : beat(this.name, own.pid, own.at)
  }

  /**
   * The newest heartbeat of the other program: it starts with a hang, and continues until the service is
   * restarted.
   */
  #echoAt(now: number): number | null {
    const process = this.processAt(now)
    const echo = this.plan.faults.find(
      ({ kind, at }) => kind === 'echo' && at <= now && at === process?.muteFrom,
    )
    return echo === undefined ? null : echo.at + Math.floor((now - echo.at) / echoEvery) * echoEvery
  }

  /** The first of the plan's failures that hits the process, and what breaks the service while it lives. */
  #foresee(process: Process): void {
    const { faults, broken } = this.plan
    const meets = ({ at }: { at: number }): boolean => at > process.startedAt
    const fault: Fault | undefined = faults.find(meets)
    const breaks = broken.find(({ from }) => meets({ at: from }))
    if (breaks !== undefined && breaks.from <= (fault?.at ?? Infinity)) {
      if (breaks.how === 'exit') process.endsAt = breaks.from
      else process.muteFrom = breaks.from
    } else if (fault !== undefined) {
      if (fault.kind === 'exit') process.endsAt = fault.at
      else process.muteFrom = fault.at
    }
  }
}

function guarded({ pid, startedAt }: Process): ServiceObservation['process'] {
  return { pid, start: String(startedAt), startedAt, tree: new Map([[pid, startedAt]]) }
}

const beat = (by: string, pid: number, at: number): BeatReading => ({
  ...{ kind: 'beat', beat: { by, pid, at: new Date(at).toISOString(), doing: null } },
})
