/** `21:50` in the local time zone; with the date if it is not today: `Nov 23 21:50`. */
export function clock(instant: string, now: Date): string {
  const at = new Date(instant)
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  if (at.toDateString() === now.toDateString()) return time
  return `${at.toLocaleDateString('en-US', { month: 'short', day: 'numeric' })} ${time}`
}
