/** Work that a worker repeats for as long as it runs: sampling panes, probing accounts, checking blockers, cleaning up. */
import { setTimeout as delay } from 'node:timers/promises'
import { log } from '../host/log.js'

export interface PollingStep {
  /** One round; rounds never overlap. If a round fails, the failure is logged and the next round comes all the same. */
  run(signal: AbortSignal): Promise<unknown>
  /** Milliseconds until the next round, given how long this one took. */
  pauseAfter(tookMs: number): number
  /** Milliseconds before the first round; 0 by default. */
  firstPause?: number
  /** What the log says of a round that failed, such as `reports could not be read`. */
  failureText: string
}

export class PollingLoop {
  readonly #step: PollingStep
  readonly #stopped = new AbortController()
  #running: Promise<void> | null = null

  constructor(step: PollingStep) {
    this.#step = step
  }

  get isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { firstPause = 0, failureText } = this.#step
    if (firstPause > 0) await this.#pause(firstPause)
    while (!this.isStopped) {
      const startedAt = performance.now()
      try {
        await this.#step.run(this.#stopped.signal)
      } catch (error) {
        log.error({ err: error }, failureText)
      }
      await this.#pause(this.#step.pauseAfter(performance.now() - startedAt))
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopped.signal }).catch(() => undefined)
  }
}
