/** Converts instants: decisions calculate in milliseconds since the epoch, and return ISO 8601 in UTC. */

/** Parses the form `2026-11-22T21:50:00.000Z`, in which Outpool writes instants, without Date: decisions read thousands of them. */
export function toMs(instant: string): number {
  if (instant.length !== 24 || instant.charCodeAt(23) !== 0x5a) return Date.parse(instant)
  const days = daysBefore(digits(instant, 0, 4), digits(instant, 5, 7), digits(instant, 8, 10)) * 86_400_000
  const time = (digits(instant, 11, 13) * 60 + digits(instant, 14, 16)) * 60 + digits(instant, 17, 19)
  return days + time * 1000 + digits(instant, 20, 23)
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let index = from; index < to; index++) value = value * 10 + text.charCodeAt(index) - 0x30
  return value
}

/** Days from 1970-01-01 to a day of the Gregorian calendar; years are counted from March, so that leap days come last. */
function daysBefore(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  )
}

/**
 * How long ago something was, by a clock that may have been set since. One that was set back makes it lie ahead, and then it must not
 * count as recent until the clock has come there again.
 */
export const elapsed = (since: number, now: number): number => Math.abs(now - since)

export const iso = (instant: number): string => new Date(instant).toISOString()

/** The earlier of two instants; null means that there is none. */
export const earlier = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const oneDay = 24 * 3_600_000

/** For a person: `21:50` within a day of `now`, else `Nov 24 03:53`. UTC. */
export function formatClock(instant: number, now: number): string {
  const at = new Date(instant)
  const time = at.toISOString().slice(11, 16)
  if (Math.abs(instant - now) < oneDay) return time
  return `${months[at.getUTCMonth()] ?? ''} ${at.getUTCDate()} ${time}`
}

/** `0.375` as `38 %`. */
export const percent = (share: number): string => `${Math.round(share * 100)} %`

/** A duration in milliseconds for a person: `12 s`, `5 min`, `3 h 5 min`. */
export function describeDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** As `describeDuration`, with tenths of a second below ten seconds: `0.9 s`. */
export const describeShortDuration = (ms: number): string =>
  ms < 9_950 ? `${(ms / 1_000).toFixed(1)} s` : describeDuration(ms)
