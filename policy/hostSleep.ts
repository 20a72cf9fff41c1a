/**
 * Sleep of a host: no process beats or draws in it, so that silence counts from the moment at which the host wakes. A clock that is set
 * forward is the same to all that compare dates.
 */

/** Milliseconds. The two clocks from which a sleep is derived are not read at one instant; shorter sleeps make no heartbeat stale. */
const sleepSlack = 1_000

/** Whether the host slept between two observations. `before` and `after`: its sleep so far, in ms up to a constant. */
export const hasSlept = (before: number, after: number): boolean => after - before > sleepSlack
