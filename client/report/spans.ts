/** Spans of time, in ms since the epoch. */

export interface Span {
  from: number
  to: number
}

/** The time that the spans cover together, without what the others cover. Milliseconds. */
export function coveredMs(spans: readonly Span[], without: readonly Span[] = []): number {
  const outside = (span: Span): Span[] =>
    without.reduce<Span[]>(
      (rest, gap) =>
        rest.flatMap(({ from, to }) => [
          { from, to: Math.min(to, Math.max(from, gap.from)) },
          { from: Math.max(from, Math.min(to, gap.to)), to },
        ]),
      [span],
    )
  let end = -Infinity
  let covered = 0
  for (const { from, to } of spans.flatMap(outside).sort((a, b) => a.from - b.from)) {
    covered += Math.max(0, to - Math.max(from, end))
    end = Math.max(end, to)
  }
  return covered
}
