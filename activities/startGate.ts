/** Lets as many agents of this host start side by side as the machine can take; the others wait in the order they came. */
import { availableParallelism } from 'node:os'
import { afterStart, firstLimit, type StartLimit } from '../policy/startLimit.js'

export class StartGate {
  readonly #cores = availableParallelism()
  readonly #waiting = new Set<() => void>()
  #limit: StartLimit = firstLimit(this.#cores)
  #starting = 0

  /**
   * Waits for the turn of one start; `waits` is told how many are starting where it has to. Rejects when `signal` aborts
   * before that. What it answers has to be called once the agent is up, with the ms that took, or with null when it is
   * not: that says nothing of the machine. Only the first call counts.
   */
  async enter(
    signal: AbortSignal,
    waits: (starting: number) => Promise<unknown>,
  ): Promise<(ms: number | null) => void> {
    if (this.#isFull()) await Promise.all([this.#turn(signal), waits(this.#starting)])
    else this.#starting += 1
    const sideBySide = this.#starting
    let isInside = true
    return (ms) => {
      if (!isInside) return
      isInside = false
      this.#starting -= 1
      const othersWaited = this.#waiting.size > 0
      if (ms !== null)
        this.#limit = afterStart(this.#limit, { ms, sideBySide, othersWaited, cores: this.#cores })
      this.#letIn()
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(letIn)
        reject(signal.reason instanceof Error ? signal.reason : new Error('given up'))
      }
      const letIn = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      if (signal.aborted) {
        giveUp()
        return
      }
      signal.addEventListener('abort', giveUp)
      this.#waiting.add(letIn)
    })
  }

  #isFull(): boolean {
    return this.#starting >= Math.floor(this.#limit.allowed) || this.#waiting.size > 0
  }

  #letIn(): void {
    for (const letIn of this.#waiting) {
      if (this.#starting >= Math.floor(this.#limit.allowed)) return
      this.#waiting.delete(letIn)
      this.#starting += 1
      letIn()
    }
  }
}
