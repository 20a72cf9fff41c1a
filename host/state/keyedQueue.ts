/** Runs steps with the same key one after the other, in the order in which they came; steps with other keys don't wait. */
export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Resolves or rejects as the step does. A step that fails does not keep the next one from running. */
  async run<T>(key: string, step: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const turn = before.then(step)
    const settled = turn.catch(() => undefined)
    this.#last.set(key, settled)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    }
  }
}
