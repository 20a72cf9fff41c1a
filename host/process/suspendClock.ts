/** Sleep of the host, read from two clocks that no change of the date touches and no restart of the worker resets. */
import { uptime } from 'node:os'
import { hrtime } from 'node:process'

/**
 * How long the host has slept since it was booted, in ms, up to a constant: time since the boot, which counts sleep, less
 * the monotonic clock, which does not (Linux: CLOCK_BOOTTIME and CLOCK_MONOTONIC). Where both count it, nothing is seen.
 */
export const hostSuspendClock = (): number => uptime() * 1_000 - Number(hrtime.bigint() / 1_000_000n)
