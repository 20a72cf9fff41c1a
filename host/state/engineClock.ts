/**
 * The difference between the engine's clock and this host's. The pool compares instants from several hosts by the engine's clock, so
 * they are converted before a workflow gets them (engineInstants.ts).
 */

/** Differences up to this many milliseconds are ignored: messages take a moment, and no two clocks are equal. */
const clockNoise = 5_000

export class EngineClock {
  readonly #now: () => number
  #ahead = 0

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Sets the measured difference (config/engine/pollers.ts): milliseconds by which the engine is ahead of this host. */
  setAhead(ahead: number): void {
    this.#ahead = ahead
  }

  /**
   * Takes the instant at which the engine scheduled an activity that begins now. The engine is ahead by at least the difference;
   * an activity that had to wait shows less, so this can only raise the known value.
   */
  noteScheduledAt(scheduledAt: number): void {
    this.#ahead = Math.max(this.#ahead, scheduledAt - this.#now())
  }

  /** Milliseconds by which the engine is ahead of this host; negative if it is behind, 0 if the difference is noise. */
  get ahead(): number {
    return Math.abs(this.#ahead) > clockNoise ? this.#ahead : 0
  }

  /** As `ahead`, with what may be noise. */
  get measured(): number {
    return this.#ahead
  }

  /** Now in the engine's clock. */
  now(): number {
    return this.#now() + this.ahead
  }

  /** Converts an instant of the engine to this host's clock. */
  toHost(instant: string): string {
    return shifted(instant, -this.ahead)
  }

  /** Converts a reset that went through `resetToEngine` back to this host's clock. */
  resetToHost(instant: string): string {
    return shifted(instant, -Math.max(0, this.ahead))
  }

  /** Converts an instant of this host to the engine's clock. */
  toEngine(instant: string): string {
    return shifted(instant, this.ahead)
  }

  /**
   * Converts a reset that an account announced. Either clock may be the right one, so the later instant counts: waking up late
   * costs minutes, but waking up early costs another wall.
   */
  resetToEngine(instant: string): string {
    return shifted(instant, Math.max(0, this.ahead))
  }
}

function shifted(instant: string, ms: number): string {
  const at = Date.parse(instant)
  return ms === 0 || Number.isNaN(at) ? instant : new Date(at + ms).toISOString()
}
