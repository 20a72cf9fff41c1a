export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** A stretch of time, excluding its end. */
export interface Span {
  from: number
  to: number
}

export const covers = ({ from, to }: Span, at: number): boolean => from <= at && at < to

/** The span that holds the instant, or null. */
export const spanAt = <T extends Span>(spans: readonly T[], at: number): T | null =>
  spans.find((span) => covers(span, at)) ?? null

const shared = (a: Span, b: Span): number => Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from))

/** How much of `whole` the spans cover, counted once if they overlap, and how many of them do. */
export function overlap(whole: Span, spans: readonly Span[]): { ms: number; count: number } {
  const touching = spans.filter((span) => shared(whole, span) > 0).toSorted((a, b) => a.from - b.from)
  let [ms, upTo] = [0, whole.from]
  for (const { from, to } of touching) {
    ms += shared(whole, { from: Math.max(from, upTo), to })
    upTo = Math.max(upTo, to)
  }
  return { ms, count: touching.length }
}
