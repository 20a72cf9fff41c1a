/**
 * Limits how many sessions of this host move at a time. If hundreds that meet a wall in one second all moved at once, none would
 * be done soon, and on a busy machine the engine's database would come to a standstill. Waiting here, in order, costs nothing.
 */
import { FifoQueue } from './fifoQueue.js'

/** If the next step of a session does not come within this time, it was parked or waits for something else. */
const nextStepWithin = 5_000

export class MoveLimiter {
  #atOnce: number
  readonly #nextStepWithin: number
  /** The sessions that move, each with the timeout that ends its turn; null during a step. */
  readonly #moving = new Map<string, NodeJS.Timeout | null>()
  readonly #waiting = new FifoQueue<string>()

  constructor(limits: { atOnce: number; nextStepWithin?: number }) {
    this.#atOnce = limits.atOnce
    this.#nextStepWithin = limits.nextStepWithin ?? nextStepWithin
  }

  /** With another limit. Sessions that move already go on. */
  resize(atOnce: number): void {
    this.#atOnce = atOnce
    this.#admitNext()
  }

  /** How many sessions wait for their turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Waits for the session's turn. `onWait` is called with the number of sessions before it if it has to wait. Rejects when `signal` aborts. */
  async acquire(session: string, signal: AbortSignal, onWait: (before: number) => void): Promise<void> {
    if (this.#moving.size < this.#atOnce) {
      this.#startTimeout(session)
      return
    }
    onWait(this.#moving.size + this.#waiting.length)
    await this.#waiting.join(session, signal)
  }

  /** Runs a step of the session; if the session has a turn, it lasts at least until the step has ended. */
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

  /** The session's move is over. */
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
