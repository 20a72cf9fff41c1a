/** What sessions have used: tokens of answers, and what they would cost by a table of prices. */
import { toMs } from '../instants.js'
import { priceOf, priceAt, type Prices, type Usage } from './spend.js'

/** An answer in one copy of a conversation. The program writes several entries of one answer; the newest has the whole count. */
export interface AnswerCopy extends Usage {
  id: string
  at: string
  session: string
  /** The account or substrate whose config dir holds this copy, and how many answers the copy has. */
  place: string
  copyLength: number
}

/** A place to which a session came at an instant. */
export interface Arrival {
  session: string
  place: string
  at: string
}

export interface CountedAnswerUsage extends Usage {
  id: string
  at: string
  session: string
  place: string
}

/**
 * Each answer once, on the place that it was given on: conversations are carried along, so that one answer has a copy at each
 * place the session has been since. `arrivals` in order of time. Before the first one that is known, the shortest copy tells:
 * it ends when the session left the place.
 */
export function countedAnswers(
  copies: readonly AnswerCopy[],
  arrivals: readonly Arrival[],
): CountedAnswerUsage[] {
  const answers = new Map<string, AnswerCopy>()
  for (const copy of copies) {
    const known = answers.get(copy.id)
    if (known === undefined) answers.set(copy.id, copy)
    else
      answers.set(copy.id, {
        ...largerOf(known, copy),
        place: copy.copyLength < known.copyLength ? copy.place : known.place,
        copyLength: Math.min(copy.copyLength, known.copyLength),
      })
  }
  const bySession = new Map<string, Arrival[]>()
  for (const arrival of arrivals)
    bySession.set(arrival.session, [...(bySession.get(arrival.session) ?? []), arrival])
  return [...answers.values()].map((answer) => {
    const last = bySession.get(answer.session)?.findLast(({ at }) => toMs(at) <= toMs(answer.at))
    return { ...answer, place: last?.place ?? answer.place }
  })
}

const sizeOf = ({ input, output, cacheRead, cacheWrite }: Usage): number =>
  input + output + cacheRead + cacheWrite
const largerOf = (a: AnswerCopy, b: AnswerCopy): AnswerCopy => (sizeOf(b) > sizeOf(a) ? b : a)

export interface UsageRow {
  key: string
  answers: number
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
  /** What it would cost, in US dollars; null if a model has no price. */
  usd: number | null
}

/** One row for each key, in the order of the keys. */
export function usageBy(
  answers: readonly (Usage & { answers: number; key: string })[],
  prices: Prices,
): UsageRow[] {
  const rows = new Map<string, UsageRow>()
  for (const { key, model, ...used } of answers) {
    const row = rows.get(key) ?? emptyRow(key)
    const price = priceOf(model, prices)
    rows.set(key, {
      key,
      answers: row.answers + used.answers,
      input: row.input + used.input,
      output: row.output + used.output,
      cacheRead: row.cacheRead + used.cacheRead,
      cacheWrite: row.cacheWrite + used.cacheWrite,
      usd: row.usd === null || price === null ? null : row.usd + priceAt({ model, ...used }, price),
    })
  }
  return [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

const emptyRow = (key: string): UsageRow => ({
  ...{ key, answers: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0, usd: 0 },
})
