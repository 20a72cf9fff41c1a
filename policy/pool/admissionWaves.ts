/**
 * A herd and an account that is nearly spent. All of them at once would start for nothing and meet its wall together; none of
 * them would be neglect, since nobody knows how much a session needs. So they go up in waves, each as large as what the
 * account has been seen to carry.
 */
import type { AccountRecord } from './poolState.js'
import { sessionShare } from './chooseAccount.js'
import { ms } from '../instants.js'
import { lastRead, moveThreshold } from '../account/windows.js'

/** Whether one more session would soon have to leave again. `used` is of the tightest window. */
const isNearlySpent = (used: number, moveAt: number, { ceiling }: AccountRecord): boolean =>
  // Without the allowance, a tenth would be more than the difference of 0.95 and 0.85.
  used + sessionShare > moveThreshold(moveAt, ceiling) + 1e-9

/** When the next wave may come, or null where one more may come now. */
export function throttledUntil(
  account: AccountRecord,
  used: number,
  moveAt: number,
  waveEvery: number,
  now: number,
): number | null {
  if (!isNearlySpent(used, moveAt, account)) return null
  const read = lastRead(account.windows) ?? -Infinity
  const ends = account.leases
    .map(({ since }) => ms(since))
    .filter((since) => since >= read && since + waveEvery > now)
    .map((since) => since + waveEvery)
  const carried = account.leases.length - ends.length
  return ends.length < Math.max(1, carried) ? null : Math.min(...ends)
}
