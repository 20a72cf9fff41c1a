/** Stretches of virtual time. Instants are milliseconds since the epoch. */
import type { Random } from './random.js'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

export interface Span {
  from: number
  to: number
}

/** Spans from `start` to `end` that do not overlap, `perDay` of them on average, in order. */
export function randomSpans(
  random: Random,
  { start, end }: { start: number; end: number },
  perDay: number,
  shortest: number,
  longest: number,
): Span[] {
  const spans: Span[] = []
  if (perDay <= 0) return spans
  let at = start
  for (;;) {
    at += Math.round((-Math.log(1 - random.next()) / perDay) * day) + 1
    if (at >= end) return spans
    const to = at + Math.round(random.between(shortest, longest))
    spans.push({ from: at, to })
    at = to
  }
}

/** The span that holds the instant, or undefined. The spans are in order and do not overlap. */
export function spanAt<S extends Span>(spans: readonly S[], at: number): S | undefined {
  let low = 0
  let high = spans.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (spans[middle]!.to <= at) low = middle + 1
    else high = middle
  }
  const span = spans[low]
  return span !== undefined && at >= span.from ? span : undefined
}

export const within = (spans: readonly Span[], at: number): boolean => spanAt(spans, at) !== undefined

/** The index of the first that is greater than `at`. */
export function upperBound(sorted: readonly number[], at: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= at) low = middle + 1
    else high = middle
  }
  return low
}

/** Most instants appear several times in a row. */
let written = { instant: NaN, text: '' }
export function iso(instant: number): string {
  if (written.instant !== instant) written = { instant, text: new Date(instant).toISOString() }
  return written.text
}
