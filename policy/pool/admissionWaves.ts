/**
 * Admission waves: how a herd goes to a nearly spent account. Admitted all at once, the sessions would start in vain and meet its wall
 * together. To admit none would waste room, since it is not known how much a session needs. So they are admitted in waves,
 * each as large as what the account has proven to carry.
 */
import type { AccountRecord } from './poolState.js'
import { sessionShare } from './chooseAccount.js'
import { toMs } from '../instants.js'
import { lastRead, moveThreshold } from '../account/windows.js'

/** Whether one more session would soon have to leave again. `used`: of the tightest window. */
const isNearlySpent = (used: number, moveAt: number, { ceiling }: AccountRecord): boolean =>
  // The tolerance for floating point: 0.1 > 0.95 - 0.85.
  used + sessionShare > moveThreshold(moveAt, ceiling) + 1e-9

/** When the next wave begins, or null if one more session may come now. */
export function throttledUntil(
  account: AccountRecord,
  used: number,
  moveAt: number,
  admissionInterval: number,
  now: number,
): number | null {
  if (!isNearlySpent(used, moveAt, account)) return null
  const read = lastRead(account.windows) ?? -Infinity
  const ends = account.leases
    .map(({ since }) => toMs(since))
    .filter((since) => since >= read && since + admissionInterval > now)
    .map((since) => since + admissionInterval)
  const carried = account.leases.length - ends.length
  return ends.length < Math.max(1, carried) ? null : Math.min(...ends)
}
