/** When a plan of the program is due: its schedules are five cron fields, in the time zone of the process, which is UTC. */

interface Field {
  least: number
  most: number
}

const fields: readonly Field[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12 },
  // 7 is Sunday too.
  { least: 0, most: 7 },
]

const dayMs = 24 * 60 * 60_000
const minuteMs = 60_000
/** A 29th of February may be eight years away. */
const daysMax = 8 * 366 + 1

/** The first minute after `after` that matches the schedule; null if it can't be parsed, or if there is none. */
export function nextFiring(schedule: string, after: Date): Date | null {
  const written = schedule.trim().split(/\s+/)
  if (written.length !== fields.length) return null
  const sets = fields.map((field, i) => numbersOf(written[i] ?? '', field))
  const [minutes, hours, days, months, weekdays] = sets
  if (!minutes || !hours || !days || !months || !weekdays) return null
  // As in cron: if both are restricted, either has to match.
  const [anyDay, anyWeekday] = [written[2]?.startsWith('*'), written[4]?.startsWith('*')]
  const isDay = (day: Date): boolean => {
    if (!months.has(day.getUTCMonth() + 1)) return false
    const byDay = days.has(day.getUTCDate())
    const weekday = day.getUTCDay()
    const byWeekday = weekdays.has(weekday) || (weekday === 0 && weekdays.has(7))
    return anyDay === true || anyWeekday === true ? byDay && byWeekday : byDay || byWeekday
  }
  const first = Math.floor(after.getTime() / minuteMs) * minuteMs + minuteMs
  const today = Math.floor(first / dayMs) * dayMs
  for (let day = 0; day < daysMax; day++) {
    const begin = today + day * dayMs
    if (!isDay(new Date(begin))) continue
    for (const hour of hours)
      for (const minute of minutes) {
        const at = begin + (hour * 60 + minute) * minuteMs
        if (at >= first) return new Date(at)
      }
  }
  return null
}

/** In ascending order; null if the text is not a valid field. */
function numbersOf(text: string, { least, most }: Field): Set<number> | null {
  const found = new Set<number>()
  for (const part of text.split(',')) {
    const [, range = '', step] = /^(\*|\d+(?:-\d+)?)(?:\/(\d+))?$/.exec(part) ?? []
    if (range === '') return null
    const [from, to] = range === '*' ? [least, most] : range.split('-').map(Number)
    const last = to ?? (step === undefined ? (from ?? least) : most)
    const by = step === undefined ? 1 : Number(step)
    if (from === undefined || from < least || last > most || by === 0) return null
    for (let n = from; n <= last; n += by) found.add(n)
  }
  return new Set([...found].sort((a, b) => a - b))
}
