/** Mutual exclusion between processes: a lock file beside a path, which becomes stale when its owner dies. */
import { setTimeout as delay } from 'node:timers/promises'
import { lock } from 'proper-lockfile'
import { errorCode } from '../../policy/errorFacts.js'

/** How long the owner may hold it: a download that takes longer has failed. Seconds. */
const patience = 600

/** The owner renews its lock every two seconds; the lock of a killed owner blocks others for this long. Milliseconds. */
const stale = 10_000

/**
 * Acquires the lock `<path>.lock`, waiting for its owner if need be; returns a function that releases it. `onWait` is called
 * once if there is an owner. Throws if the lock cannot be created, or is not free after ten minutes.
 */
export async function exclusive(path: string, onWait: () => void): Promise<() => Promise<void>> {
  const until = Date.now() + patience * 1000
  for (let waited = false; ; waited = true) {
    const release = await tryExclusive(path)
    if (release !== null) return release
    if (Date.now() > until)
      throw new Error(
        `${path}.lock has been held for ${patience} s; remove it if no outpool is running there`,
      )
    if (!waited) onWait()
    await delay(200)
  }
}

/** As `exclusive`, without waiting: null if the lock has an owner. */
export async function tryExclusive(path: string): Promise<(() => Promise<void>) | null> {
  try {
    // Losing the lock means that this process was suspended for long; what it does meanwhile is safe anyway.
    return await lock(path, { realpath: false, stale, update: stale / 5, onCompromised: () => undefined })
  } catch (error) {
    if (errorCode(error) !== 'ELOCKED') throw error
    return null
  }
}
