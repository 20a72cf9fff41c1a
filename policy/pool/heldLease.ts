/** A lease that a session has, though the pool may not know of it. */
import { failbackFor } from './failback.js'
import type { HeldLease } from './lease.js'
import { leaseOf, withAccount, withoutLease, type PoolState } from './poolState.js'

/**
 * Records the lease of a session that was started again from its state. Whatever else the session holds or waits for was asked for by a
 * workflow that has taken its place for a while. No account is judged: the agent is there already.
 */
export function confirmLease(state: PoolState, held: HeldLease, now: string): PoolState {
  const { request, account, model, fence } = held
  const { session, requestId, at } = request
  const known = leaseOf(state, session)
  const target = state.accounts.find(({ name }) => name === account)
  if (target === undefined) return state
  const waitlist = state.waitlist.filter((entry) => entry.request.session !== session)
  const resend = state.resend.filter((name) => name !== session)
  if (known?.account.name === account && known.lease.fence === fence) return { ...state, waitlist, resend }
  const failback = failbackFor(request, target, model)
  const lease = { session, fence, requestId, askedAt: at, model, since: now, why: 'it runs there', failback }
  const freed = withoutLease({ ...state, waitlist, resend }, session)
  const fenced = { ...freed, fence: Math.max(state.fence, fence) }
  return withAccount(fenced, account, (record) => ({ ...record, leases: [...record.leases, lease] }))
}
