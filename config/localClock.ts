const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/**
 * `21:50` in the local time zone; with the date if it is not today: `Nov 23 21:50`. Put together by hand: tables have hundreds, and the
 * library for locales takes longer for one than for everything else in its row.
 */
export function formatLocalClock(instant: string, now: Date): string {
  const at = new Date(instant)
  const time = [at.getHours(), at.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':')
  if (at.toDateString() === now.toDateString()) return time
  return `${months[at.getMonth()] ?? ''} ${at.getDate()} ${time}`
}
