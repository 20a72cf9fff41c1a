/** A line of those who wait for something, served in the order they came. */
export class FifoQueue<Who> {
  readonly #waiting = new Set<{ who: Who; letIn: () => void }>()

  get length(): number {
    return this.#waiting.size
  }

  /** Resolves when `next` has come to this one; rejects, and leaves the line, when `signal` aborts before that. */
  join(who: Who, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(place)
        reject(signal.reason instanceof Error ? signal.reason : new Error('given up'))
      }
      const place = {
        who,
        letIn: (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      if (signal.aborted) {
        giveUp()
        return
      }
      signal.addEventListener('abort', giveUp)
      this.#waiting.add(place)
    })
  }

  /** Lets the first one in and answers who that was; undefined where nobody waits. */
  next(): Who | undefined {
    for (const place of this.#waiting) {
      this.#waiting.delete(place)
      place.letIn()
      return place.who
    }
    return undefined
  }
}
