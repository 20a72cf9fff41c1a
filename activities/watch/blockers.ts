/**
 * Looks whether what kept agents from being started on this host has changed, and says so at once: a page that a person has
 * answered, a program that can be run again. Both end by time, too; this only spares the waiting.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { accountAgent } from '../../host/identity/failureDomains.js'
import type { Host } from '../../host/host.js'

/** Whom to tell. Either may reject: what it was to say is then said by time. */
export interface ObstacleTalk {
  /** The pool takes the newest readings of this host. */
  pool(): Promise<unknown>
  session(name: string): Promise<unknown>
}

/** Looks cost at most this share of the time, however much there is to look at. */
const share = 0.02

export class Obstacles {
  readonly #host: Host
  readonly #talk: ObstacleTalk
  readonly #stopped = new AbortController()
  #running: Promise<void> | null = null

  constructor(host: Host, talk: ObstacleTalk) {
    this.#host = host
    this.#talk = talk
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
      await this.look().catch((error: unknown) =>
        console.error('outpool: what keeps agents from being started could not be looked at:', error),
      )
      const pause = Math.max(this.#host.config.timing.lookEvery, (performance.now() - from) / share)
      await delay(pause, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One look. */
  async look(): Promise<void> {
    const { pages, unrunnable } = this.#host
    if (await pages.lift((name, cwd) => this.#ground(name, cwd)))
      await this.#talk.pool().catch(() => undefined)
    for (const [session, { mark, look }] of [...unrunnable]) {
      if ((await look()) === mark) continue
      unrunnable.delete(session)
      await this.#talk.session(session).catch(() => undefined)
    }
  }

  /** Of a place that is named no more nothing can be said: what stood there is dropped. */
  #ground(name: string, cwd: string): Promise<string> {
    const kind = this.#host.config.substrates.some((one) => one.name === name) ? 'substrate' : 'account'
    const place = this.#host.filesIfNamed({ kind, name })
    return place === null ? Promise.resolve('') : this.#host.pageGround(accountAgent, place, cwd)
  }
}
