/** Instants for people: in the local time zone, and short. Programs get ISO 8601 in UTC from --json. */

export { formatLocalClock } from '../../config/localClock.js'

/** `12 s`, `5 min`, `3 h`, `2 d`: the largest unit that fits, rounded down; a negative span counts as zero. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

export const ago = (instant: string, now: Date): string => `${span(now.getTime() - Date.parse(instant))} ago`

/** `in 5 min`, or `now` if it is due. */
export function ahead(instant: string, now: Date): string {
  const ms = Date.parse(instant) - now.getTime()
  return ms <= 0 ? 'now' : `in ${span(ms)}`
}

/** As `span`, without seconds: `<1 min`. A screen on which nothing happens stays as it is. */
export const coarseSpan = (ms: number): string => (ms < 60_000 ? '<1 min' : span(ms))
