/** Which of several able accounts a session gets, and why. */
import type { Window } from '../account/account.js'
import { formatClock, percent } from '../instants.js'
import { announcedReset, windowLength } from '../account/windows.js'

/** An account that may take the session now: ineligible ones have been removed before. */
export interface EligibleAccount {
  name: string
  /** The tightest window that binds the session's model; null for an unproven account. */
  tightest: Window | null
  /** Sessions that are on it or have just been sent to it. */
  sessions: number
}

export interface AccountPreference {
  prefer: string | null
  /** The account the session is on now. */
  current: string | null
  /** The used share of the tightest window of the current account; null if it is unknown. */
  currentUsed: number | null
  /** Only a clearly better place will do: the session can stay where it is. */
  mustImprove: boolean
  moveAt: number
}

export interface AccountChoice {
  account: string
  why: string
}

/** The share that one session is expected to use: keeps a herd from going to one place. */
export const sessionShare = 0.1
/** The least gain of a planned move: below it, sessions would move back and forth. */
const minImprovement = 0.1
/** The least room at the target of a planned move: below it, the next move would soon be due. */
const limitMargin = 0.05
/** The bonus for staying on the same account: its cache is warm and nothing has to be carried. */
const stayBonus = 0.05
/** The share of its room by which an account gains rank if its window is about to reset and the rest would be lost. */
const expiringRoomBonus = 0.5

/** The best of the candidates, or null if none will do. Does not depend on their order. */
export function chooseAccount(
  candidates: readonly EligibleAccount[],
  preference: AccountPreference,
  now: number,
): AccountChoice | null {
  const acceptable = candidates.filter((candidate) => isAcceptable(candidate, preference))
  const proven = acceptable.filter((candidate) => candidate.tightest !== null)
  const eligible = proven.length > 0 ? proven : acceptable
  const preferred = eligible.find((candidate) => candidate.name === preference.prefer)
  if (preferred !== undefined)
    return { account: preferred.name, why: `${describe(preferred, now)}, as asked for` }
  let best: { candidate: EligibleAccount; rank: number } | null = null
  for (const candidate of eligible) {
    const rank = rankOf(candidate, now) + (candidate.name === preference.current ? stayBonus : 0)
    const better =
      best === null || rank > best.rank || (rank === best.rank && candidate.name < best.candidate.name)
    if (better) best = { candidate, rank }
  }
  return best === null ? null : { account: best.candidate.name, why: describe(best.candidate, now) }
}

/** The room of the tightest window after the sessions that are on it; about 0..1.5, higher is better. */
export function rankOf({ tightest, sessions }: EligibleAccount, now: number): number {
  if (tightest === null) return -sessions
  const room = Math.max(0, 1 - tightest.used)
  const reset = announcedReset(tightest)
  const left = reset === null ? 1 : Math.min(1, Math.max(0, (reset - now) / windowLength(tightest.name)))
  return room * (1 + expiringRoomBonus * (1 - left)) - sessionShare * sessions
}

function isAcceptable(
  { tightest }: EligibleAccount,
  { mustImprove, moveAt, currentUsed }: AccountPreference,
): boolean {
  if (!mustImprove) return true
  if (tightest === null) return false
  // The tolerance for floating point: 0.1 > 0.95 - 0.85.
  const slack = 1e-9
  if (tightest.used > moveAt - limitMargin + slack) return false
  return currentUsed === null || tightest.used <= currentUsed - minImprovement + slack
}

function describe({ name, tightest, sessions }: EligibleAccount, now: number): string {
  if (tightest === null) return `${name}: its usage is not known and no other account is able, on trial`
  const reset = announcedReset(tightest)
  const resets = reset === null ? '' : `, resets ${formatClock(reset, now)}`
  const company = sessions === 0 ? '' : `, ${sessions} there`
  return `${name}: ${percent(1 - tightest.used)} of ${tightest.name} left${resets}${company}`
}
