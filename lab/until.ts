/** Waits for conditions, never for a fixed time. */
import { setTimeout as delay } from 'node:timers/promises'

/** Past it, a condition will never hold, however busy the machine is. Tests have longer: vitest.config.ts. */
export const hangsAfterMs = 180_000

/** Thrown when a condition was not met in time; shows the last value. */
export class ConditionTimeout extends Error {
  override readonly name = 'ConditionTimeout'
}

/**
 * Checks again and again until the value is as wanted. A check that fails counts as not yet. Checking must
 * not slow down what is waited for: a question to the engine costs the engine and the worker as much again, so the
 * pause after a check is twenty times as long as the check, up to a second.
 */
export async function until<T>(
  what: string,
  read: () => Promise<T>,
  wanted: (value: T) => boolean,
  withinMs = hangsAfterMs,
): Promise<T> {
  const end = performance.now() + withinMs
  let last: unknown = 'nothing was seen'
  do {
    const began = performance.now()
    try {
      const value = await read()
      last = value
      if (wanted(value)) return value
    } catch (error) {
      last = error
    }
    await delay(Math.min(Math.max(50, 20 * (performance.now() - began)), 1_000))
  } while (performance.now() < end)
  const shown = last instanceof Error ? last.message : JSON.stringify(last, null, 2)
  throw new ConditionTimeout(`${what} was not as wanted within ${withinMs / 1000} s; last: ${shown}`)
}
