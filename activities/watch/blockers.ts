/**
 * Looks whether what kept agents from being started on this host has changed, and says so at once: a page that a person has
 * answered, a program that can be run again. Both end by time, too; this only spares the waiting.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { accountAgent } from '../../host/identity/failureDomains.js'
import type { Host } from '../../host/host.js'

/** Whom to tell. Either may reject: what it was to say is then said by time. */
export interface BlockerListener {
  /** The pool takes the newest readings of this host. */
  poolChanged(): Promise<unknown>
  sessionUnblocked(name: string): Promise<unknown>
}

/** Looks cost at most this share of the time, however much there is to look at. */
const maxTimeShare = 0.02

export class BlockerWatch {
  readonly #host: Host
  readonly #listener: BlockerListener
  readonly #stopped = new AbortController()
  #running: Promise<void> | null = null

  constructor(host: Host, listener: BlockerListener) {
    this.#host = host
    this.#listener = listener
  }

  start(): void {
    this.#running = this.#loop()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const from = performance.now()
      await this.check().catch((error: unknown) =>
        console.error('outpool: what keeps agents from being started could not be looked at:', error),
      )
      const pause = Math.max(this.#host.config.timing.lookEvery, (performance.now() - from) / maxTimeShare)
      await delay(pause, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One look. */
  async check(): Promise<void> {
    const { openPages: pages, unrunnablePrograms: unrunnable } = this.#host
    if (await pages.removeAnswered((name, cwd) => this.#pageFingerprint(name, cwd)))
      await this.#listener.poolChanged().catch(() => undefined)
    for (const [session, { fingerprint: mark, currentFingerprint: look }] of [...unrunnable]) {
      if ((await look()) === mark) continue
      unrunnable.delete(session)
      await this.#listener.sessionUnblocked(session).catch(() => undefined)
    }
  }

  /** Of a place that is named no more nothing can be said: what stood there is dropped. */
  #pageFingerprint(name: string, cwd: string): Promise<string> {
    const kind = this.#host.config.substrates.some((one) => one.name === name) ? 'substrate' : 'account'
    const place = this.#host.filesIfConfigured({ kind, name })
    return place === null ? Promise.resolve('') : this.#host.pageFingerprint(accountAgent, place, cwd)
  }
}
