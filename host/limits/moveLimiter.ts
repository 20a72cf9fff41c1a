/**
 * How many sessions of this host are being moved at a time. When hundreds meet a wall in one second, each report at once
 * would have the engine do everything for all of them side by side: none is soon done, and on a busy machine its database
 * comes to a standstill. So the others wait here, in their order, where waiting costs nothing.
 */

import { FifoQueue } from './fifoQueue.js'

/** A session whose next step does not come is not being moved any more (it was parked), or waits for something else. */
const nextStepWithin = 5_000

export class MoveLimiter {
  readonly #atOnce: number
  readonly #nextStepWithin: number
  /** Sessions that are being moved, each with what ends its turn when no step comes. */
  readonly #moving = new Map<string, NodeJS.Timeout | null>()
  readonly #waiting = new FifoQueue<string>()

  constructor(limits: { atOnce: number; nextStepWithin?: number }) {
    this.#atOnce = limits.atOnce
    this.#nextStepWithin = limits.nextStepWithin ?? nextStepWithin
  }

  /** Waits for the session's turn; `waits` is told how many are before it where it has to. Rejects when `signal` aborts. */
  async acquire(session: string, signal: AbortSignal, onWait: (before: number) => void): Promise<void> {
    if (this.#moving.size < this.#atOnce) {
      this.#startTimeout(session)
      return
    }
    onWait(this.#moving.size + this.#waiting.length)
    await this.#waiting.join(session, signal)
  }

  /** A step of the session is under way: its turn lasts at least until that has ended. */
  async holdDuring<T>(session: string, step: () => Promise<T>): Promise<T> {
    if (!this.#moving.has(session)) return step()
    clearTimeout(this.#moving.get(session) ?? undefined)
    this.#moving.set(session, null)
    try {
      return await step()
    } finally {
      if (this.#moving.has(session)) this.#startTimeout(session)
    }
  }

  /** The session is where it should be. */
  release(session: string): void {
    clearTimeout(this.#moving.get(session) ?? undefined)
    if (this.#moving.delete(session)) this.#admitNext()
  }

  #startTimeout(session: string): void {
    clearTimeout(this.#moving.get(session) ?? undefined)
    this.#moving.set(
      session,
      setTimeout(() => this.release(session), this.#nextStepWithin),
    )
  }

  #admitNext(): void {
    while (this.#moving.size < this.#atOnce) {
      const session = this.#waiting.next()
      if (session === undefined) return
      this.#startTimeout(session)
    }
  }
}
