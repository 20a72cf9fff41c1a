/** Parses the instant in `resets 9:50pm (UTC)`, `resets 21:50 (UTC)` and `resets Nov 24, 3:53am (Europe/Berlin)`. */

const resetPattern =
  /\bresets (?:([A-Z][a-z]{2})[a-z]* (\d{1,2})(?:, (\d{4}))?,? )?(?:at )?(\d{1,2})(?::(\d{2}))?(?:[ \u202f]?([ap]m))? \(([A-Za-z0-9_+\-/]+)\)/i

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const minute = 60_000
const day = 24 * 60 * minute

/** The text has no seconds, so a reset within this minute seems to be in the past. */
const rounding = minute

/**
 * The reset as ISO 8601 in UTC; null if the text names no reset, or no known time zone.
 * A time alone means its first occurrence after `at` (when the text was written), a date its first in that or the next year.
 */
export function parseReset(text: string, at: string): string | null {
  const [, monthName, dayText, yearText, hourText, minuteText = '0', half = '', zone = ''] =
    resetPattern.exec(text) ?? []
  const written = Date.parse(at)
  if (hourText === undefined || Number.isNaN(written) || !isZone(zone)) return null
  const hours = hoursOf(Number(hourText), half.toLowerCase())
  const minutes = Number(minuteText)
  if (hours === null || minutes > 59) return null
  const timeOfDay = (hours * 60 + minutes) * minute
  const dates =
    monthName === undefined || dayText === undefined
      ? daysAround(written, zone)
      : datesNamed(monthName, Number(dayText), yearText, written, zone)
  for (const date of dates) {
    const instant = instantOf(date + timeOfDay, zone)
    if (instant >= written - rounding) return new Date(instant).toISOString()
  }
  return null
}

/** Hours since midnight. With a 24-hour clock, midnight is shown as 0 or 24; both are the beginning of the named day. */
function hoursOf(shown: number, half: string): number | null {
  if (half === '') return shown <= 24 ? shown % 24 : null
  return shown >= 1 && shown <= 12 ? (shown % 12) + (half === 'pm' ? 12 : 0) : null
}

/** The midnights from yesterday to the day after tomorrow in the zone, as if they were UTC. */
function daysAround(written: number, zone: string): number[] {
  const midnight = Math.floor(localReading(written, zone) / day) * day
  return [midnight - day, midnight, midnight + day, midnight + 2 * day]
}

function datesNamed(
  monthName: string,
  dayOfMonth: number,
  yearText: string | undefined,
  written: number,
  zone: string,
): number[] {
  const month = months.indexOf(monthName.toLowerCase())
  const year = new Date(localReading(written, zone)).getUTCFullYear()
  const years = yearText === undefined ? [year, year + 1] : [Number(yearText)]
  return years
    .map((one) => Date.UTC(one, month, dayOfMonth))
    .filter((date) => month >= 0 && new Date(date).getUTCDate() === dayOfMonth)
}

/** What a wall clock in the zone shows at the instant, read as if it were UTC. */
function localReading(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant)
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
}

/**
 * The instant at which a clock in the zone shows this reading. Of two such instants (clocks set back) the later one, because
 * waking up early would cost a second wall. A skipped reading (clocks set forward) is moved by the gap.
 */
function instantOf(reading: number, zone: string): number {
  const offsetAt = (instant: number): number => localReading(instant, zone) - instant
  const before = reading - offsetAt(reading - day)
  const after = reading - offsetAt(reading + day)
  const fitting = [before, after].filter((instant) => localReading(instant, zone) === reading)
  return fitting.length > 0 ? Math.max(...fitting) : before
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
