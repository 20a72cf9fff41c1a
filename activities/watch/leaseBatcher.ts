/**
 * Requests leases for the walled sessions of this host. Requests that come at one moment go to the pool in one update, one update
 * at a time. If the pool does not answer in time, the session workflows ask it themselves.
 */
import type { AccountReading } from '../../policy/account/account.js'
import type { LeaseAnswer, PreparedLeaseRequest, LeaseBatch } from '../../policy/pool/lease.js'

/** Sends a batch to the pool. Rejects if there is no answer in time. */
export type RequestLeases = (batch: LeaseBatch) => Promise<(LeaseAnswer | null)[]>

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

  /** Null if the pool did not answer in time, or if it is not this host's pool. */
  requestLease(pool: string, request: PreparedLeaseRequest): Promise<LeaseAnswer | null> {
    if (pool !== this.#pool) return Promise.resolve(null)
    return new Promise((resolve) => {
      this.#waiting.push({ request, resolve })
      if (!this.#isSending) void this.#sendBatches()
    })
  }

  /** Sends the host's newest readings, which may free a place for a waiting session. Rejects if the pool does not answer. */
  async sendReadings(): Promise<void> {
    await this.#requestLeases({ requests: [], readings: this.#readings() })
  }

  async #sendBatches(): Promise<void> {
    this.#isSending = true
    // Sessions that see the same wall in one tick send their requests in the same moment.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const pending = this.#waiting
      this.#waiting = []
      const batch = { requests: pending.map(({ request }) => request), readings: this.#readings() }
      const answers = await this.#requestLeases(batch).catch(() => [])
      for (const [index, { resolve }] of pending.entries()) resolve(answers[index] ?? null)
    }
    this.#isSending = false
  }
}
