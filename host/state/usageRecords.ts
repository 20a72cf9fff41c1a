/** Records over time what the accounts of this host use, for forecasts. Kept across restarts. */
import type { Home } from '../../config/state/home.js'
import { readUsage, usageFile } from '../../config/state/usageFile.js'
import {
  compactUsageRecord,
  emptyUsageRecord,
  recordUsage,
  sampleEvery,
  type UsageRecord,
  type UsageSample,
} from '../../policy/forecast/usageRecord.js'
import { writeFileAtomic } from './atomicFile.js'

export class UsageRecords {
  readonly #home: Home
  readonly #known = new Map<string, UsageRecord>()
  #sampledAt = -Infinity

  constructor(home: Home) {
    this.#home = home
  }

  /** Whether the next sample is due at `now` (ms since the epoch), also after the clock was set back. */
  isDue(now: number): boolean {
    return Math.abs(now - this.#sampledAt) >= sampleEvery
  }

  /** Writes one file for each account. */
  record(samples: readonly (UsageSample & { account: string })[], now: number): void {
    this.#sampledAt = now
    for (const { account, ...sample } of samples) {
      const before = this.#known.get(account) ?? readUsage(this.#home, account) ?? emptyUsageRecord(account)
      const after = recordUsage(before, sample)
      this.#known.set(account, after)
      writeFileAtomic(usageFile(this.#home, account), JSON.stringify(compactUsageRecord(after)))
    }
  }
}
