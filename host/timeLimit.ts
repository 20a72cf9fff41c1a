/**
 * The end of a wait, by the clock that gets there first: the date may be set back during the wait, and the monotonic clock stands still
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
