/** One process at a time: a lock beside a path, which goes stale by itself when its owner died. */
import { setTimeout as delay } from 'node:timers/promises'
import { lock } from 'proper-lockfile'

/** How long the owner may take, in seconds; a download that goes on for longer has failed. */
const patience = 600

/** A living owner renews its lock every two seconds; one that was killed blocks the next for this long. Milliseconds. */
const stale = 10_000

/**
 * Takes the lock `<path>.lock`, waiting for its owner if need be; returns how to give it back. `onWait` is called once
 * where there is an owner. Throws where the lock cannot be made, or is not free after ten minutes.
 */
export async function exclusive(path: string, onWait: () => void): Promise<() => Promise<void>> {
  const until = Date.now() + patience * 1000
  for (let waited = false; ; waited = true) {
    try {
      // A lock that was taken from us means that we stood still for long; the renames that follow are safe anyway.
      return await lock(path, { realpath: false, stale, update: stale / 5, onCompromised: () => undefined })
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ELOCKED') throw error
    }
    if (Date.now() > until)
      throw new Error(
        `${path}.lock has been held for ${patience} s; remove it if no outpool is at work there`,
      )
    if (!waited) onWait()
    await delay(200)
  }
}
