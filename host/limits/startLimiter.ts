/** Lets as many agents of this host start side by side as the machine can take; the others wait in the order they came. */
import { availableParallelism } from 'node:os'
import { adjustStartLimit, initialStartLimit, type StartLimit } from '../../policy/session/startLimit.js'
import { FifoQueue } from './fifoQueue.js'

export class StartLimiter {
  readonly #cores = availableParallelism()
  readonly #waiting = new FifoQueue<null>()
  #limit: StartLimit = initialStartLimit(this.#cores)
  #starting = 0

  /**
   * Waits for the turn of one start; `waits` is told how many are starting where it has to. Rejects when `signal` aborts
   * before that. What it answers has to be called once the agent is up, with the ms that took, or with null when it is
   * not: that says nothing of the machine. Only the first call counts.
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
