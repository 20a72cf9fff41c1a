/** Sleep of a host: no process beats or draws in it, so that silence counts from the moment at which the host wakes. */

/** Milliseconds. The clocks from which a sleep is derived drift apart; shorter sleeps make no heartbeat stale. */
const sleepSlack = 1_000

/** Whether the host slept between two observations. `before` and `after`: its sleep since boot, in ms. */
export const hasSlept = (before: number, after: number): boolean => after - before > sleepSlack
