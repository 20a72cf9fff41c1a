/** Waiting for a condition, never for a time. */
import { setTimeout as delay } from 'node:timers/promises'

/** Thrown when a condition was not met in time; shows what was there instead. */
export class ConditionTimeout extends Error {
  override readonly name = 'NeverHappened'
}

/**
 * Looks again and again until the value is as wanted. A look that fails counts as not yet. A look that starts a process must
 * not take the machine from what it waits for: as long as it takes, so long is the pause after it.
 */
export async function until<T>(
  what: string,
  read: () => Promise<T>,
  wanted: (value: T) => boolean,
  withinMs = 60_000,
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
    await delay(Math.max(50, performance.now() - began))
  } while (performance.now() < end)
  const shown = last instanceof Error ? last.message : JSON.stringify(last, null, 2)
  throw new ConditionTimeout(`${what} was not as wanted within ${withinMs / 1000} s; last: ${shown}`)
}
