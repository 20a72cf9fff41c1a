/** For how long something has lasted without a break, against the bound that was set for it when it began. */
export class Clocks {
  private readonly running = new Map<string, { since: number; bound: number }>()

  /** A bound of null says that it does not hold now. Answers for how long it has held by now; null where it just began. */
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

  /** Begins again at its next look. */
  stop(name: string): void {
    this.running.delete(name)
  }
}
