/**
 * Checks whether blockers of this host are gone: a page that a person has answered, or a program that can be run again. Waiting
 * sessions are then started at once, instead of at their next regular attempt.
 */
import { accountAgent } from '../../host/identity/failureDomains.js'
import type { Host } from '../../host/host.js'
import { PollingLoop } from '../pollingLoop.js'

/** Hears that a blocker is gone. A call that rejects does no harm: the regular attempt comes later. */
export interface BlockerListener {
  /** The pool takes the newest readings of this host. */
  poolChanged(): Promise<unknown>
  sessionUnblocked(name: string): Promise<unknown>
}

/** Checks take at most this share of the time, however many blockers there are. */
const maxTimeShare = 0.02

export class BlockerWatch {
  readonly #host: Host
  readonly #listener: BlockerListener
  readonly #loop: PollingLoop

  constructor(host: Host, listener: BlockerListener) {
    this.#host = host
    this.#listener = listener
    this.#loop = new PollingLoop({
      run: () => this.check(),
      pauseAfter: (tookMs) => Math.max(host.config.timing.pollEvery, tookMs / maxTimeShare),
      failureText: 'the blockers of this host could not be checked',
    })
  }

  start(): void {
    this.#loop.start()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  /** Checks every blocker once. */
  async check(): Promise<void> {
    const { openPages, unrunnablePrograms } = this.#host
    if (await openPages.removeAnswered((name, cwd) => this.#pageFingerprint(name, cwd)))
      await this.#listener.poolChanged().catch(() => undefined)
    for (const [session, { fingerprint, currentFingerprint }] of [...unrunnablePrograms]) {
      if ((await currentFingerprint()) === fingerprint) continue
      unrunnablePrograms.delete(session)
      await this.#listener.sessionUnblocked(session).catch(() => undefined)
    }
  }

  /** Empty for a place that the configuration no longer names, so that its pages are dropped. */
  #pageFingerprint(name: string, cwd: string): Promise<string> {
    const kind = this.#host.config.substrates.some((one) => one.name === name) ? 'substrate' : 'account'
    const place = this.#host.configuredPlace({ kind, name })
    return place === null ? Promise.resolve('') : this.#host.pageFingerprint(accountAgent, place, cwd)
  }
}
