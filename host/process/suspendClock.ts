/** How long the host was suspended, from two clocks that are independent of the date and of restarts of the worker. */
import { uptime } from 'node:os'
import { hrtime } from 'node:process'

/**
 * How long the host has been suspended since its boot, in ms, up to a constant: the time since the boot, which includes it, less
 * the monotonic clock, which does not (Linux: CLOCK_BOOTTIME and CLOCK_MONOTONIC). If both include it, the value stays constant.
 */
export const hostSuspendClock = (): number => uptime() * 1_000 - Number(hrtime.bigint() / 1_000_000n)
