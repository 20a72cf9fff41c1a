/** Bounds what comes from outside before it enters a history, a message or a file. */

/** The beginning of a text, of at most `max` UTF-16 units, with a mark if anything was cut. No character is cut in two. */
export function boundedText(text: string, max: number): string {
  if (text.length <= max) return text
  const end = max - cutMark.length
  const isSplit = /[\uD800-\uDBFF]/.test(text.charAt(end - 1))
  return text.slice(0, isSplit ? end - 1 : end) + cutMark
}

const cutMark = '…'

/** The same value with every text in it replaced. Keys are kept. Plain data only. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item: unknown) => mapTexts(item, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [key, mapTexts(item, change)]),
  )
}
