/**
 * The engine's clock as this host sees it. The pool judges by the engine's clock what hosts have stamped with theirs: where the two
 * differ, instants are put right as they pass the border (engineInstants.ts).
 */

/** A stamp is on its way for a moment, and clocks are never quite the same; this much is no difference. Milliseconds. */
const clockNoise = 5_000

export class EngineClock {
  readonly #now: () => number
  #ahead = 0

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Takes what the engine itself was asked for (worker/engine/pollers.ts): milliseconds by which it is ahead of this host. */
  setAhead(ahead: number): void {
    this.#ahead = ahead
  }

  /**
   * Takes note of when the engine scheduled a step, as the step tells when it begins here. The engine is ahead by no less than
   * that; steps that had to wait tell less than is true, so that this can only raise what is known.
   */
  noteScheduledAt(scheduledAt: number): void {
    this.#ahead = Math.max(this.#ahead, scheduledAt - this.#now())
  }

  /** Milliseconds by which the engine is ahead of this host, negative where it is behind; 0 where that is noise. */
  get ahead(): number {
    return Math.abs(this.#ahead) > clockNoise ? this.#ahead : 0
  }

  /** Now by the engine's clock. */
  now(): number {
    return this.#now() + this.ahead
  }

  /** An instant of the engine's by the clock of this host. */
  toHost(instant: string): string {
    return shifted(instant, -this.ahead)
  }

  /** An instant that this host stamped by the clock of the engine. */
  toEngine(instant: string): string {
    return shifted(instant, this.ahead)
  }

  /**
   * A reset that an account named. It is unknown whether the engine's clock or ours is right: the later reading of the
   * two counts, since waking late costs minutes, and waking early a second wall.
   */
  resetToEngine(instant: string): string {
    return shifted(instant, Math.max(0, this.ahead))
  }
}

function shifted(instant: string, ms: number): string {
  const at = Date.parse(instant)
  return ms === 0 || Number.isNaN(at) ? instant : new Date(at + ms).toISOString()
}
