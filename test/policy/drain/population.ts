/**
 * Who is in the world and what will happen to them, all from the seed: nothing here depends on what sessions
 * do.
 */
import { Random } from './random.js'
import { day, hour, minute, randomSpans, type Span } from './spans.js'

/** How a seed begins, and begins again each week; after that, events follow the seed at random. */
export const profiles = [
  'as it comes',
  /** Every account fills up within one second. */
  'all at once',
  /** One account after the other, an hour apart. */
  'one by one',
  /** The weekly window of every account, with resets days apart. */
  'weeks',
  /** All accounts, and one substrate after the other. */
  'substrates too',
  /** All accounts, and every stated reset is wrong. */
  'lies',
] as const
export type LoadProfile = (typeof profiles)[number]

export interface WorldOptions {
  seed: string
  start: number
  days: number
  accounts: number
  sessions: number
  /** Default 0. */
  substrates?: number
  /** Default: at random. */
  profile?: LoadProfile
  /** How much load the accounts get: 1 keeps them near their limits most of the time. Default 1. */
  load?: number
  /**
   * Names of sessions and substrates, and kinds of events, that this world leaves out: for the shortest
   * history.
   */
  excluded?: readonly string[]
}

/** Kinds of events that a world can leave out. */
export const eventKinds = ['people', 'throttling', 'logouts', 'goodwill', 'pauses', 'opening'] as const

export interface Budget {
  name: string
  /** The model family that it binds, or null for all. */
  family: string | null
  /** Used share of this budget per share of the 5-hour window. */
  weight: number
  length: number
  used: number
  /** When it truly resets; null while it has not begun. */
  endsAt: number | null
  /** The reset that the agent states; null if it states none. */
  stated: number | null
  fullSince: number | null
}

/** A budget that fills up by itself at an instant. */
interface Shock {
  at: number
  budget: string
  endsAt: number
  stated: number | null
}

export interface WorldAccount {
  name: string
  ceiling: number
  maxSessions: number | null
  identity: string
  budgets: Budget[]
  loggedOut: Span[]
  throttled: Span[]
  /** When a person uses the account too, and how fast (shares of the 5-hour window per hour). */
  people: (Span & { rate: number })[]
  /** Instants at which all budgets reset out of turn. */
  earlyResets: number[]
  shocks: Shock[]
  settledAt: number
  random: Random
  lastAnswer: ReportedWindow[]
  running: Set<WorldSession>
}

export interface WorldSession {
  name: string
  model: string
  /** Shares of the 5-hour window per hour while it works. */
  rate: number
  active: Span[]
  /** The substrates that the session accepts, in order; null: all. */
  fallback: string[] | null
}

/** A key or a gateway, whose limits cannot be probed. */
export interface WorldSubstrate {
  name: string
  maxSessions: number | null
  /** How long the owner wants it to rest after a refusal that names no end. */
  cooldown: number
  /** Exhausted quotas and storms, with the end that the refusal states, if any. */
  refusals: (Span & { stated: number | null })[]
}

/** The forms in which the agent program would report it. */
export interface ReportedWindow {
  name: string
  used: number
  resetsAt: string | null
  readAt: string
  source: 'status-line' | 'usage-probe'
}

type Options = WorldOptions & { end: number }

const isExcluded = ({ excluded: without = [] }: WorldOptions, what: string): boolean => without.includes(what)

export function makeAccount(options: Options, index: number): WorldAccount {
  const { seed, start, load = 1 } = options
  const random = new Random(`${seed}/account/${index}`)
  const spans = (what: string, perDay: number, shortest: number, longest: number): Span[] => {
    const all = randomSpans(random, options, perDay, shortest, longest)
    return isExcluded(options, what) ? [] : all
  }
  const budget = (name: string, family: string | null, weight: number, length: number): Budget => ({
    name,
    family,
    weight,
    length,
    used: 0,
    endsAt: null,
    stated: null,
    fullSince: null,
  })
  const weekly = budget('seven_day', null, random.between(0.02, 0.09), 7 * day)
  const opus = budget('seven_day_opus', 'opus', random.between(0.05, 0.25), 7 * day)
  for (const one of [weekly, opus]) {
    one.used = random.between(0, 0.7)
    one.stated = one.endsAt = Math.round(start + random.between(0.1, 7) * day)
  }
  const fiveHour = random.chance(0.1) ? [] : [budget('five_hour', null, 1, 5 * hour)]
  const people = spans('people', random.between(0, 1), 30 * minute, 3 * hour)
  return {
    name: `max-${index + 1}`,
    ceiling: random.chance(0.25) ? 0.8 : 1,
    maxSessions: random.chance(0.3) ? 2 + Math.floor(random.between(0, 4)) : null,
    identity: `identity-${index + 1}`,
    budgets: [...fiveHour, weekly, opus],
    loggedOut: spans('logouts', random.between(0, 0.15), 10 * minute, 12 * hour),
    throttled: spans('throttling', random.between(0, 1.5), 10 * minute, 2 * hour),
    people: people.map((span) => ({ ...span, rate: random.between(0.05, 0.6) * load })),
    earlyResets: spans('goodwill', 0.1, minute, hour).map(({ from }) => from),
    shocks: shocksOf(options, index),
    settledAt: start,
    random,
    lastAnswer: [],
    running: new Set(),
  }
}

/** The instants at which the opening begins: some hours after the start, and then each week. */
function profileShocks(options: Options): number[] {
  if ((options.profile ?? 'as it comes') === 'as it comes' || isExcluded(options, 'opening')) return []
  const first = options.start + Math.round(new Random(`${options.seed}/opening`).between(1, 24) * hour)
  const all: number[] = []
  for (let at = first; at < options.end; at += 7 * day) all.push(at)
  return all
}

function shocksOf(options: Options, index: number): Shock[] {
  const random = new Random(`${options.seed}/shocks/${index}`)
  return profileShocks(options).map((opens): Shock => {
    const isWeek = options.profile === 'weeks'
    const at = opens + (options.profile === 'one by one' ? index * hour : Math.round(random.between(0, 1000)))
    const lasts = isWeek ? (index + random.between(1, 2)) * day : random.between(1, 5) * hour
    const endsAt = Math.round(at + lasts)
    return {
      at,
      budget: isWeek ? 'seven_day' : 'five_hour',
      endsAt,
      stated: options.profile === 'lies' ? falseReset(random, at, endsAt) : endsAt,
    }
  })
}

/** Too early, too late, or none at all. */
function falseReset(random: Random, at: number, endsAt: number): number | null {
  if (random.chance(0.3)) return null
  return Math.round(at + (endsAt - at) * random.between(0.1, 1.5))
}

export function makeSession(options: Options, index: number): WorldSession {
  const random = new Random(`${options.seed}/session/${index}`)
  const pause = randomSpans(random, options, random.between(0.2, 3), 20 * minute, 8 * hour)
  const active: Span[] = []
  let from = options.start
  for (const span of isExcluded(options, 'pauses') ? [] : pause) {
    if (span.from > from) active.push({ from, to: span.from })
    from = span.to
  }
  if (from < options.end) active.push({ from, to: options.end })
  return {
    name: `s${index + 1}`,
    model: random.chance(0.25) ? 'opus' : 'sonnet',
    rate: random.between(0.005, 0.08) * (options.load ?? 1),
    active,
    fallback: fallbackOf(random, options.substrates ?? 0),
  }
}

/** Most accept any substrate; some accept none, some one, some all in a different order. */
function fallbackOf(random: Random, substrates: number): string[] | null {
  const names = Array.from({ length: substrates }, (_, index) => nameOfSubstrate(index))
  if (random.chance(0.65)) return null
  if (random.chance(0.3)) return []
  return random.chance(0.5) ? names.slice(-1) : names.reverse()
}

const nameOfSubstrate = (index: number): string => `key-${index + 1}`

export function makeSubstrate(options: Options, index: number): WorldSubstrate {
  const random = new Random(`${options.seed}/substrate/${index}`)
  const asTheyCome = randomSpans(random, options, random.between(0.3, 2), 10 * minute, 8 * hour)
  const inTurn =
    options.profile === 'substrates too'
      ? profileShocks(options).map((at) => ({
          from: at + (2 * index + 1) * hour,
          to: at + (2 * index + 4) * hour,
        }))
      : []
  const others = asTheyCome.filter(({ from, to }) => !inTurn.some((one) => from <= one.to && one.from <= to))
  const refusals = [...others, ...inTurn].sort((a, b) => a.from - b.from)
  return {
    name: nameOfSubstrate(index),
    maxSessions: random.chance(0.4) ? 1 + Math.floor(random.between(0, 3)) : null,
    cooldown: random.chance(0.5) ? 5 * minute : Math.round(random.between(1, 90)) * minute,
    refusals: refusals.map(({ from, to }) => ({
      from,
      to,
      stated: random.chance(0.7) ? null : random.chance(0.3) ? falseReset(random, from, to) : to,
    })),
  }
}
