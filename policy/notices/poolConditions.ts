/** What stands with the pool that a person may have to hear of, read off its desk. */
import { declaredUntil } from '../pool/simulatedWall.js'
import type { PoolDesk } from '../pool/poolState.js'
import { ms } from '../instants.js'
import type { PoolNews } from './notices.js'
import { standingOf, type UnableCause } from '../account/eligibility.js'

/** A full account, or one on trial, is spent for nobody who is on it. */
const spentBy: readonly UnableCause[] = [
  'disabled',
  'duplicate',
  'logged-out',
  'resting',
  'walled',
  'ceiling',
]

export function newsOf(desk: PoolDesk, now: string): PoolNews {
  const accounts = desk.accounts.filter(({ role, removed }) => role === 'pool' && !removed)
  const spent = accounts.flatMap((account) => {
    const standing = standingOf(desk, account, null, ms(now))
    return standing.kind === 'unable' && spentBy.includes(standing.cause)
      ? [`${account.name} ${standing.why()}`]
      : []
  })
  return {
    pool: desk.settings.name,
    dry: accounts.length > 0 && spent.length === accounts.length ? spent.join(', ') : null,
    waiting: desk.waiting.flatMap(({ request: { session }, told }) =>
      // That the session of a drill has to wait is what the drill is for.
      told === null || declaredUntil(desk, session, ms(now)) !== null
        ? []
        : [{ session, why: told.why, retryAt: told.retryAt }],
    ),
    loggedOut: accounts.filter(({ login }) => login === 'out').map(({ name }) => name),
  }
}
