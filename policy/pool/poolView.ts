/** What a pool answers to questions about its accounts. Nothing changes by them. */
import type { AccountFacts } from '../account/account.js'
import { eligibilityOf, ineligible, type Ineligible } from '../account/eligibility.js'
import { earliestProbeAt, isProbing } from '../account/probes.js'
import { toMs } from '../instants.js'
import type { PoolView } from './lease.js'
import type { AccountRecord, PoolState } from './poolState.js'

/** Why the account is ineligible for this session; null if it is eligible, or will be in a moment. */
export function ineligibilityFor(
  state: PoolState,
  name: string,
  session: string,
  model: string | null,
  now: string,
): Ineligible | null {
  const account = state.accounts.find((one) => one.name === name)
  if (account === undefined) return ineligible('not-in-pool', () => 'is not in the pool')
  // A session does not block itself.
  const leases = account.leases.filter((lease) => lease.session !== session)
  const eligibility = eligibilityOf(state, { ...account, leases }, model, toMs(now))
  return eligibility.kind === 'ineligible' && eligibility.cause !== 'throttled' ? eligibility : null
}

/** Accounts of the pool with readings so old that they are probed before a person's order is answered. */
export const accountsToProbeFirst = (
  state: PoolState,
  names: readonly string[] | null,
  now: string,
): string[] =>
  state.accounts
    .filter(({ name, role, removed }) => role === 'pool' && !removed && (names?.includes(name) ?? true))
    .filter((account) => !isProbing(account, toMs(now)))
    .filter((account) => earliestProbeAt(account, true, state.settings.timing, toMs(now)) <= toMs(now))
    .map(({ name }) => name)

/** What is known of an account, without the pool's bookkeeping. */
const factsOf = (account: AccountRecord): AccountFacts => ({
  name: account.name,
  role: account.role,
  ceiling: account.ceiling,
  maxSessions: account.maxSessions,
  ...(account.drain === true || account.removed ? { drain: true } : {}),
  windows: account.windows,
  walls: account.walls,
  login: account.login,
  loginAt: account.loginAt,
  identity: account.identity,
  probedAt: account.probedAt,
  leases: account.leases.map(({ session }) => session),
  trial: account.trial,
  restUntil: account.restUntil,
  ...(account.pages === undefined ? {} : { pages: account.pages }),
})

/** The answer to the query `describe`, for `outpool accounts` and `ls`. */
export const poolView = ({ settings, accounts, waitlist, simulatedWalls = [] }: PoolState): PoolView => ({
  name: settings.name,
  moveAt: settings.moveAt,
  // One that is no longer configured is listed until its last session has left it.
  accounts: accounts.map(factsOf),
  waitlist: waitlist.map(({ request: { session }, since, notified }) => ({
    session,
    since,
    why: notified?.why ?? 'it has not been answered yet',
    retryAt: notified?.retryAt ?? null,
  })),
  simulatedWalls,
})
