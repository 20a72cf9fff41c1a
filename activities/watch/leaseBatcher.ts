/**
 * Asks the pool for places, for the walled sessions of this host: all that ask at one moment go in one message, and one message is
 * under way at a time. A pool that does not answer costs a moment: the sessions then ask for themselves.
 */
import type { AccountReading } from '../../policy/account/account.js'
import type { LeaseAnswer, PreparedLeaseRequest, LeaseBatch } from '../../policy/pool/lease.js'

/** Takes what this host asks of its pool, and rejects where there is no answer in time. */
export type RequestLeases = (round: LeaseBatch) => Promise<(LeaseAnswer | null)[]>

interface PendingRequest {
  request: PreparedLeaseRequest
  resolve: (answer: LeaseAnswer | null) => void
}

export class LeaseBatcher {
  readonly #pool: string
  readonly #requestLeases: RequestLeases
  readonly #readings: () => AccountReading[]
  #waiting: PendingRequest[] = []
  #isSending = false

  constructor(pool: string, requestLeases: RequestLeases, readings: () => AccountReading[]) {
    this.#pool = pool
    this.#requestLeases = requestLeases
    this.#readings = readings
  }

  /** Null where the pool did not say anything in time, or is another one. */
  requestLease(pool: string, ask: PreparedLeaseRequest): Promise<LeaseAnswer | null> {
    if (pool !== this.#pool) return Promise.resolve(null)
    return new Promise((settle) => {
      this.#waiting.push({ request: ask, resolve: settle })
      if (!this.#isSending) void this.#sendBatches()
    })
  }

  /** Something has changed on this host that a waiting session may be glad of. Rejects where the pool does not answer. */
  async sendReadings(): Promise<void> {
    await this.#requestLeases({ requests: [], readings: this.#readings() })
  }

  async #sendBatches(): Promise<void> {
    this.#isSending = true
    // Those who see the same wall at the same look ask in the same moment.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const pending = this.#waiting
      this.#waiting = []
      const batch = { requests: pending.map(({ request }) => request), readings: this.#readings() }
      const answers = await this.#requestLeases(batch).catch(() => [])
      for (const [index, { resolve: settle }] of pending.entries()) settle(answers[index] ?? null)
    }
    this.#isSending = false
  }
}
