/** Limits how many agents of this host start at the same time to what the machine can take. The others wait in order. */
import { availableParallelism } from 'node:os'
import { adjustStartLimit, initialStartLimit, type StartLimit } from '../../policy/session/startLimit.js'
import { FifoQueue } from './fifoQueue.js'

export class StartLimiter {
  readonly #cores = availableParallelism()
  readonly #waiting = new FifoQueue<null>()
  #limit: StartLimit = initialStartLimit(this.#cores)
  #starting = 0

  /** How many starts wait for their turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Waits for the turn of one start. `onWait` is called with the number of agents that are starting if it has to wait. Rejects if
   * `signal` aborts before that. The returned function ends the turn: call it with the ms that the start took, or with null if
   * the agent did not start, which says nothing about the machine. Only the first call counts.
   */
  async acquire(
    signal: AbortSignal,
    onWait: (starting: number) => void,
  ): Promise<(ms: number | null) => void> {
    if (this.#isFull()) {
      onWait(this.#starting)
      await this.#waiting.join(null, signal)
    } else this.#starting += 1
    const sideBySide = this.#starting
    let isInside = true
    return (ms) => {
      if (!isInside) return
      isInside = false
      this.#starting -= 1
      const othersWaited = this.#waiting.length > 0
      if (ms !== null)
        this.#limit = adjustStartLimit(this.#limit, { ms, sideBySide, othersWaited, cores: this.#cores })
      this.#admitNext()
    }
  }

  #isFull(): boolean {
    return this.#starting >= Math.floor(this.#limit.allowed)
  }

  #admitNext(): void {
    while (!this.#isFull() && this.#waiting.next() !== undefined) this.#starting += 1
  }
}
