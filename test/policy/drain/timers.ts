/** Events at instants of virtual time, in order. */
export class Timers {
  /** Sorted latest first, so that the next one is the last. */
  private readonly timers: { at: number; run: (now: number) => void }[] = []

  get next(): number {
    return this.timers.at(-1)?.at ?? Infinity
  }

  at(at: number, run: (now: number) => void): void {
    let index = this.timers.length
    while (index > 0 && this.timers[index - 1]!.at < at) index--
    this.timers.splice(index, 0, { at, run })
  }

  run(now: number): void {
    for (let timer = this.timers.at(-1); timer !== undefined && timer.at <= now; timer = this.timers.at(-1)) {
      this.timers.pop()
      timer.run(now)
    }
  }
}
