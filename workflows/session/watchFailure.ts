/** A session that its host will not watch, such as one on an account that the configuration no longer names. A person is told. */
import { condition } from '@temporalio/workflow'
import { backoff } from '../../policy/backoff.js'
import { type SessionContext, show } from './context.js'

/** The host would not, for a reason that a retry does not mend at once. Returns when it is time for the next try. */
export async function pauseUnwatched(ctx: SessionContext, why: string): Promise<void> {
  const { state, handlers } = ctx
  const { retryEvery, retryAtMost } = state.timing
  const before = state.unwatched
  const tries = (before?.tries ?? 0) + 1
  const attention = `nobody watches it: ${why}; it is tried again`
  const otherwise = state.attention === before?.attention ? before.otherwise : state.attention
  show(ctx, { attention, unwatched: { tries, attention, otherwise } })
  const pause = backoff(tries, { base: retryEvery, cap: retryAtMost }, state.name)
  await condition(() => handlers.hasOrders(), pause)
}

/** A watch that does not end at once stands: what was said of those before it no longer holds. */
export async function clearUnwatched(ctx: SessionContext, isInterrupted: () => boolean): Promise<void> {
  const { state } = ctx
  if (!state.unwatched || (await condition(isInterrupted, state.timing.retryEvery))) return
  const { attention, otherwise } = state.unwatched
  show(ctx, {
    unwatched: null,
    attention: state.attention === attention ? otherwise : state.attention,
  })
}
