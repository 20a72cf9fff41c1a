/** Joins names to a short line, however many there are. */
const shownAtMost = 10

export function formatList(names: readonly string[]): string {
  const more = names.length - shownAtMost
  const shown = names.slice(0, shownAtMost).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}
