/**
 * Asks the pool for places, for the walled sessions of this host: all that ask at one moment go in one message, and one message is
 * under way at a time. A pool that does not answer costs a moment: the sessions then ask for themselves.
 */
import type { AccountReading } from '../../policy/account/account.js'
import type { LeaseAnswer, LeaseAsk, LeaseRound } from '../../policy/pool/lease.js'

/** Takes what this host asks of its pool, and rejects where there is no answer in time. */
export type AskPool = (round: LeaseRound) => Promise<(LeaseAnswer | null)[]>

interface Asking {
  ask: LeaseAsk
  settle: (answer: LeaseAnswer | null) => void
}

export class LeaseDesk {
  readonly #pool: string
  readonly #askPool: AskPool
  readonly #readings: () => AccountReading[]
  #waiting: Asking[] = []
  #isAsking = false

  constructor(pool: string, askPool: AskPool, readings: () => AccountReading[]) {
    this.#pool = pool
    this.#askPool = askPool
    this.#readings = readings
  }

  /** Null where the pool did not say anything in time, or is another one. */
  ask(pool: string, ask: LeaseAsk): Promise<LeaseAnswer | null> {
    if (pool !== this.#pool) return Promise.resolve(null)
    return new Promise((settle) => {
      this.#waiting.push({ ask, settle })
      if (!this.#isAsking) void this.#askAll()
    })
  }

  /** Something has changed on this host that a waiting session may be glad of. Rejects where the pool does not answer. */
  async tell(): Promise<void> {
    await this.#askPool({ asks: [], readings: this.#readings() })
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true
    // Those who see the same wall at the same look ask in the same moment.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const asking = this.#waiting
      this.#waiting = []
      const round = { asks: asking.map(({ ask }) => ask), readings: this.#readings() }
      const answers = await this.#askPool(round).catch(() => [])
      for (const [index, { settle }] of asking.entries()) settle(answers[index] ?? null)
    }
    this.#isAsking = false
  }
}
