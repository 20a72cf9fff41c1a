import type { Eligibility } from '../account/eligibility.js'
import type { AccountRecord } from './poolState.js'

/** One account, as a request sees it. */
export interface Candidate {
  account: AccountRecord
  eligibility: Eligibility
  /** When it is worth asking, or null. */
  probeDueAt: number | null
  /** Until when this request leaves the account out, or null. */
  excludedUntil: number | null
}
