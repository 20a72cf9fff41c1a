/**
 * The end of a wait, by whichever clock comes to it first: the date may be set back while one waits, and the monotonic clock stands still
 * while the host is suspended.
 */
export class TimeLimit {
  readonly #date: number
  readonly #monotonic: number

  /** `within`: milliseconds from now; Infinity for no limit. */
  constructor(within: number) {
    this.#date = Date.now() + within
    this.#monotonic = performance.now() + within
  }

  /** Milliseconds; zero or less once it is over. */
  get left(): number {
    return Math.min(this.#date - Date.now(), this.#monotonic - performance.now())
  }

  get isOver(): boolean {
    return this.left <= 0
  }
}
