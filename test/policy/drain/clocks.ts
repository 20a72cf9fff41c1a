/** Measures how long a condition has lasted without a break, against the bound that was set when it began. */
export class Clocks {
  private readonly running = new Map<string, { since: number; bound: number }>()

  /**
   * A bound of null means that the condition does not hold now. Returns how long it has held; null if it just
   * began.
   */
  held(name: string, bound: number | null, now: number): number | null {
    if (bound === null) {
      this.running.delete(name)
      return null
    }
    const clock = this.running.get(name)
    if (clock?.bound === bound) return now - clock.since
    this.running.set(name, { since: now, bound })
    return null
  }

  /** Starts over at its next check. */
  stop(name: string): void {
    this.running.delete(name)
  }
}
