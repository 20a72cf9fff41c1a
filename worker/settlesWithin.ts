/** Waits for work that may hang, for at most `ms`. False if it goes on then; what it throws before is thrown. */
import { setTimeout as delay } from 'node:timers/promises'

export async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const limit = new AbortController()
  const isLate = delay(ms, true, { signal: limit.signal }).catch(() => false)
  try {
    return !(await Promise.race([work.then(() => false), isLate]))
  } finally {
    limit.abort()
  }
}
