/** Sleep of a host: nobody beats, draws or says anything in it, so silence counts from waking. */

/** The clocks from which a sleep is read tick apart; shorter sleeps make nobody stale. Milliseconds. */
const sleepSlack = 1_000

/** Whether the host slept between two looks. `before` and `after`: how long it had slept since its boot, in ms. */
export const hasSlept = (before: number, after: number): boolean => after - before > sleepSlack
