/**
 * A week of one host, generated from its seed: services and what happens to them, agents and people, tasks
 * and how their runs end.
 */
import { maxEscalationPause, maxRestartPause, type ServiceSpec } from '../../../policy/service/service.js'
import type { CheckRules } from '../../../policy/service/judgement.js'
import { Random } from '../../policy/drain/random.js'
import { day, hour, minute, second, type Span } from './spans.js'

/** What happens to a service at an instant. */
export interface Fault {
  at: number
  /**
   * `hang`: the process stays, and writes nothing any more; `echo`: as a hang, while another program keeps
   * touching its heartbeat.
   */
  kind: 'exit' | 'hang' | 'echo'
}

/** While it lasts, no process of the service works. An agent that heals ends it sooner. */
interface BrokenSpan extends Span {
  /** Each process ends soon after its start, or never writes a heartbeat. */
  how: 'exit' | 'mute'
}

export interface ServicePlan {
  spec: Omit<ServiceSpec, 'host' | 'pool' | 'name'>
  rules: Omit<CheckRules, 'service'>
  beatEvery: number
  heartbeatWithin: number
  faults: Fault[]
  broken: BrokenSpan[]
  /** It works without a heartbeat, and its files grow. */
  silent: Span[]
  /** Its heartbeat can't be written, though the service tries. */
  blocked: Span[]
  /** By people: the watchdog only monitors. */
  paused: Span[]
  /** A person runs a check by hand. */
  checks: number[]
}

/** How a woken agent ends, and how long it takes. */
export interface AgentPlan {
  kind: 'heals' | 'wrong' | 'walled' | 'late' | 'asks' | 'does not come up'
  workMs: number
}

export type TaskEnd = 'well' | 'fails' | 'throws'

export interface TaskPlan {
  name: string
  kind: 'run' | 'imap'
  every: number
  /** How the run that is due at an instant ends. */
  outcome: (at: number) => { kind: TaskEnd; takes: number }
}

export interface WeekPlan {
  seed: string
  start: number
  end: number
  services: Map<string, ServicePlan>
  /** The host's worker is down. */
  workerDown: Span[]
  /** The host is suspended, with everything on it. */
  suspended: Span[]
  /** Of so many starts, one answer is lost with its worker. */
  answerLostEvery: number
  agents: AgentPlan[]
  tasks: TaskPlan[]
}

/** An agent gets no more than this. */
export const agentTimeout = 30 * minute

/**
 * The last failures leave this much time, in which everything has to come up again: two of the longest
 * pauses.
 */
const quietAtEnd = 14 * hour

type Kind = 'with wake-up' | 'without' | 'only watched'

export function planWeek(seed: string, start: number, days: number): WeekPlan {
  const random = new Random(seed)
  const end = start + days * day
  const lasts = { from: start + 10 * minute, to: Math.max(start + hour, end - quietAtEnd) }
  const kinds: Kind[] = ['with wake-up', 'without', 'only watched']
  const services = new Map(
    kinds.map((kind, index) => [
      `${seed}-${index + 1}`,
      service(kind, new Random(`${seed}/${index}`), lasts),
    ]),
  )
  return {
    ...{ seed, start, end, services },
    workerDown: spans(random, lasts, days / 2, 2 * minute, 40 * minute),
    suspended: spans(random, lasts, days / 3, 20 * minute, 9 * hour),
    answerLostEvery: 2 + Math.floor(random.between(0, 4)),
    agents: Array.from({ length: 200 }, () => agent(random)),
    tasks: [task({ seed, start }, 'tick', 'run', 6 * hour), task({ seed, start }, 'inbox', 'imap', 4 * hour)],
  }
}

function service(kind: Kind, random: Random, lasts: Span): ServicePlan {
  const days = (lasts.to - lasts.from) / day
  const every = pick(random, [minute, 5 * minute, 10 * minute, 30 * minute])
  const hasBeat = kind !== 'only watched' || random.chance(0.7)
  const staleAfter = Math.round(every * random.between(0.8, 2))
  const busyCheck = random.chance(0.7)
    ? { within: Math.round(every * random.between(0.5, 1.5)), maxBusy: hour }
    : null
  const canStart = kind !== 'only watched'
  const wakeUp =
    kind === 'without'
      ? null
      : { retryEvery: pick(random, [minute, 10 * minute]), retryMaxInterval: maxEscalationPause }
  const backoff = pick(random, [5 * second, 30 * second, 2 * minute])
  return {
    spec: {
      ...{ every, canStart, wakeUp },
      restarts: {
        limit: 2 + Math.floor(random.between(0, 3)),
        within: pick(random, [30 * minute, hour, 3 * hour]),
        backoff,
        backoffMax: maxRestartPause,
      },
    },
    rules: { every, heartbeat: hasBeat ? { staleAfter, anyone: false } : null, busyCheck, timeout: null },
    beatEvery: Math.round(staleAfter * random.between(0.1, 0.6)),
    heartbeatWithin: hasBeat ? staleAfter : 5 * minute,
    faults: Array.from({ length: Math.round(1.2 * days) }, () => ({
      at: Math.round(random.between(lasts.from, lasts.to)),
      kind: hasBeat ? pick(random, ['exit', 'exit', 'hang', 'echo'] as const) : 'exit',
    })).toSorted((a, b) => a.at - b.at),
    broken: spans(random, lasts, days / 2.5, minute, 10 * hour).map((span) => ({
      ...span,
      how: hasBeat && random.chance(0.4) ? 'mute' : 'exit',
    })),
    silent: spans(random, lasts, days / 2, 10 * minute, 2 * hour),
    blocked: hasBeat ? spans(random, lasts, days / 3, 5 * minute, 3 * hour) : [],
    paused: spans(random, lasts, days / 4, minute, 2 * hour),
    checks: instants(random, lasts, days / 2),
  }
}

function agent(random: Random): AgentPlan {
  const kind = pick(random, [
    'heals',
    'heals',
    'heals',
    'wrong',
    'walled',
    'late',
    'asks',
    'does not come up',
  ] as const)
  return { kind, workMs: kind === 'late' ? agentTimeout : random.between(10 * second, 20 * minute) }
}

function task(
  { seed, start }: { seed: string; start: number },
  name: string,
  kind: TaskPlan['kind'],
  every: number,
): TaskPlan {
  return {
    ...{ name: `${seed}-${name}`, kind, every },
    outcome: (at) => {
      const random = new Random(`${seed}/${name}/${at - start}`)
      const ends: TaskEnd[] = ['well', 'well', 'fails', 'throws']
      // A mailbox run may take longer than the interval of its task.
      return { kind: pick(random, ends), takes: kind === 'run' ? 0 : Math.round(random.between(0, 6 * hour)) }
    },
  }
}

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random.next() * from.length)]!

const instants = (random: Random, { from, to }: Span, count: number): number[] =>
  Array.from({ length: Math.round(count) }, () => Math.round(random.between(from, to))).toSorted(
    (a, b) => a - b,
  )

/** Some spans that do not touch each other, each of a length between the two, most of them short. */
function spans(random: Random, within: Span, count: number, shortest: number, longest: number): Span[] {
  const drawn = instants(random, within, count).map((from): Span => {
    const length = shortest * (longest / shortest) ** random.next()
    return { from, to: Math.round(Math.min(from + length, within.to)) }
  })
  return drawn.filter((span, index) => drawn.slice(0, index).every(({ to }) => to + minute < span.from))
}
