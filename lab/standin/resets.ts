const hour = 3_600_000

/**
 * The full hour that is at least `hours` hours ahead. A stand-in's windows end at such an instant: one that is
 * written down as a date would some day be in the past, and its window would then count as begun again.
 */
export const wholeHourAfter = (hours: number): Date => new Date((Math.ceil(Date.now() / hour) + hours) * hour)
