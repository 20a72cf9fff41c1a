/** Reads the conditions that a person may have to be notified of off the pool's state. */
import { simulatedWallUntil } from '../pool/simulatedWall.js'
import type { PoolState } from '../pool/poolState.js'
import { ms } from '../instants.js'
import type { PoolConditions } from './notice.js'
import { eligibilityOf, type IneligibleCause } from '../account/eligibility.js'

/** A full account, or one on trial, still serves the sessions that are on it. */
const spentCauses: readonly IneligibleCause[] = [
  'disabled',
  'duplicate',
  'logged-out',
  'resting',
  'walled',
  'ceiling',
]

export function poolConditions(state: PoolState, now: string): PoolConditions {
  const accounts = state.accounts.filter(({ role, removed }) => role === 'pool' && !removed)
  const spent = accounts.flatMap((account) => {
    const eligibility = eligibilityOf(state, account, null, ms(now))
    return eligibility.kind === 'ineligible' && spentCauses.includes(eligibility.cause)
      ? [`${account.name} ${eligibility.why()}`]
      : []
  })
  return {
    pool: state.settings.name,
    dry: accounts.length > 0 && spent.length === accounts.length ? spent.join(', ') : null,
    waitlist: state.waitlist.flatMap(({ request: { session }, notified }) =>
      // The session of a drill waits on purpose.
      notified === null || simulatedWallUntil(state, session, ms(now)) !== null
        ? []
        : [{ session, why: notified.why, retryAt: notified.retryAt }],
    ),
    loggedOut: accounts.filter(({ login }) => login === 'out').map(({ name }) => name),
  }
}
