/** How much time has passed for the date and not for the processes of this host: while it was suspended, or because its clock was set. */
import { hrtime } from 'node:process'

/**
 * In ms, up to a constant; only differences count. The date less the monotonic clock, which stands still while the host is suspended and
 * can't be set. Independent of restarts of the worker. A clock that is set forward makes everything look old that happened before, as a
 * suspend does; one that is set back makes the value smaller.
 */
export const hostSuspendClock = (): number => Date.now() - Number(hrtime.bigint() / 1_000_000n)
