/** An account as judged in an assignment pass. */
import type { Eligibility } from '../account/eligibility.js'
import type { AccountRecord } from './poolState.js'

/** One account as judged for a request. */
export interface Candidate {
  account: AccountRecord
  eligibility: Eligibility
  /** When a probe is worth while, or null. */
  probeDueAt: number | null
  /** Until when the request excludes the account, or null. */
  excludedUntil: number | null
}
