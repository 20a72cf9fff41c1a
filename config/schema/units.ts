/** Durations, shares and sizes as people write them in `outpool.yaml`. */

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export const durationPattern = /^(\d{1,6})([smhd])$/
export const sizePattern = /^(\d{1,5})([KM])$/
export const sharePattern = /^(100(?:\.0+)?|\d{1,2}(?:\.\d{1,4})?)%$/

/** `10m` -> 600000 ms; null for anything else. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = durationPattern.exec(text) ?? []
  if (count === undefined || !isUnit(unit)) return null
  return Number(count) * unitMs[unit]
}

const unitBytes = { K: 1_024, M: 1_048_576 } as const

/** `64K` -> 65536 bytes; null for anything else. */
export function parseSize(text: string): number | null {
  const [, count, unit] = sizePattern.exec(text) ?? []
  return count === undefined ? null : Number(count) * (unit === 'M' ? unitBytes.M : unitBytes.K)
}

/** Milliseconds -> the shortest exact form, such as `90s` or `3h`. Throws RangeError if it cannot be written exactly. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = ms / unitMs[unit]
    if (Number.isInteger(count) && count >= 0 && count <= 999_999 && (count > 0 || unit === 's'))
      return `${count}${unit}`
  }
  throw new RangeError(`${ms} ms cannot be written as a duration`)
}

/** `80%` -> 0.8; null for anything else. */
export function parseShare(text: string): number | null {
  const [, percent] = sharePattern.exec(text) ?? []
  return percent === undefined ? null : Number(percent) / 100
}

const isUnit = (text: string | undefined): text is keyof typeof unitMs =>
  text !== undefined && Object.hasOwn(unitMs, text)
