/** A queue of waiting callers, served in order of arrival. */
export class FifoQueue<Caller> {
  readonly #waiting = new Set<{ caller: Caller; admit: () => void }>()

  get length(): number {
    return this.#waiting.size
  }

  /** Resolves when it is the caller's turn. Rejects, and leaves the queue, if `signal` aborts before that. */
  join(caller: Caller, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(entry)
        reject(signal.reason instanceof Error ? signal.reason : new Error('given up'))
      }
      const entry = {
        caller,
        admit: (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      if (signal.aborted) {
        giveUp()
        return
      }
      signal.addEventListener('abort', giveUp)
      this.#waiting.add(entry)
    })
  }

  /** Admits the first caller in the queue and returns it; undefined if the queue is empty. */
  next(): Caller | undefined {
    for (const entry of this.#waiting) {
      this.#waiting.delete(entry)
      entry.admit()
      return entry.caller
    }
    return undefined
  }
}
