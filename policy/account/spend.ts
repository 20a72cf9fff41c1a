/** What a substrate spends: its tokens by a price table, in periods, against the budget that its owner set. */
import type { Wall, Window } from './account.js'
import { iso, toMs } from '../instants.js'
import { budgetWindow } from './windows.js'

/** Tokens of one answer, as the agent's transcript gives them. */
export interface Usage {
  model: string
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}

/** US dollars for a million tokens. */
interface Price {
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}

export type Prices = Readonly<Record<string, Price>>

export interface Budget {
  usd: number
  /** Milliseconds. Periods follow each other from 1970-01-01 UTC on, so that `1d` begins at midnight UTC. */
  per: number
}

const perPrice = 1_000_000

/** The price under the longest name in the table with which the model's name begins, or null. */
export function priceOf(model: string, prices: Prices): Price | null {
  const [longest] = Object.keys(prices)
    .filter((name) => model.startsWith(name))
    .sort((a, b) => b.length - a.length)
  return longest === undefined ? null : (prices[longest] ?? null)
}

/** US dollars. A model without a price counts as the most expensive one: a new name must not overrun the budget. */
export const costOf = (usage: Usage, prices: Prices): number =>
  priceAt(usage, priceOf(usage.model, prices) ?? highestPrice(prices))

/** US dollars. */
export function priceAt(usage: Usage, price: Price): number {
  const parts = ['input', 'output', 'cacheRead', 'cacheWrite'] as const
  return parts.reduce((sum, part) => sum + (usage[part] * price[part]) / perPrice, 0)
}

function highestPrice(prices: Prices): Price {
  const most = (part: keyof Price): number =>
    Math.max(0, ...Object.values(prices).map((price) => price[part]))
  return {
    input: most('input'),
    output: most('output'),
    cacheRead: most('cacheRead'),
    cacheWrite: most('cacheWrite'),
  }
}

/** An answer as counted so far; more of it may still be written. */
export interface CountedAnswer {
  id: string
  usd: number
}

/** Answers that may be written to one file at the same time: of the conversation and of its subagents. */
const maxOpenAnswers = 16

/**
 * The cost that these entries add. The agent writes several entries of one answer, each with its tokens so far: they count once.
 * `counted` are the newest answers, newest last, to be passed in with the next entries.
 */
export function addCosts(
  before: readonly CountedAnswer[],
  entries: readonly CountedAnswer[],
): { usd: number; counted: CountedAnswer[] } {
  let usd = 0
  const counted = new Map(before.map((one) => [one.id, one.usd]))
  for (const entry of entries) {
    const known = counted.get(entry.id) ?? 0
    usd += Math.max(0, entry.usd - known)
    counted.delete(entry.id)
    counted.set(entry.id, Math.max(entry.usd, known))
  }
  return { usd, counted: [...counted].slice(-maxOpenAnswers).map(([id, cost]) => ({ id, usd: cost })) }
}

/** The number of answers and their tokens as a limit counts them: without those from a cache, which cost next to nothing. */
export function totalUsage(entries: readonly (Usage & { id: string })[]): {
  answers: number
  tokens: number
} {
  // The agent writes several entries of one answer; the newest has the whole count.
  const newest = new Map(entries.map((entry) => [entry.id, entry.input + entry.output + entry.cacheWrite]))
  return { answers: newest.size, tokens: [...newest.values()].reduce((sum, one) => sum + one, 0) }
}

/** The start of the period that contains this instant. */
export const periodStart = (at: string, { per }: Budget): string => iso(Math.floor(toMs(at) / per) * per)

/** The budget as a window of the substrate: full when it is spent, and reset with the next period. */
export function budgetReading(spentUsd: number, budget: Budget, now: string): Window {
  return {
    name: budgetWindow,
    used: Math.min(1, spentUsd / budget.usd),
    resetsAt: iso(toMs(periodStart(now, budget)) + budget.per),
    readAt: now,
    source: 'transcript',
  }
}

/** The wall of a spent budget, or null while some is left. A turn in progress is never ended for it. */
export function spentBudgetWall(windows: readonly Window[], now: string): Wall | null {
  const budget = windows.find(({ name }) => name === budgetWindow)
  if (budget === undefined || budget.used < 1 || budget.resetsAt === null) return null
  if (toMs(now) >= toMs(budget.resetsAt)) return null
  return {
    kind: budgetWindow,
    scope: 'account',
    resetsAt: budget.resetsAt,
    evidence: 'its budget is spent, by the usage in the transcripts',
    at: now,
  }
}
