/** A session that its host refuses to watch, such as one on an account that the configuration no longer names. */
import { condition } from '@temporalio/workflow'
import { backoff } from '../../policy/backoff.js'
import { type SessionContext, show } from './context.js'

/** Shows a person why the host refuses. Returns when the next try is due, or when an order has come. */
export async function pauseUnwatched(ctx: SessionContext, why: string): Promise<void> {
  const { state, handlers } = ctx
  const { retryEvery, retryMaxInterval } = state.timing
  const before = state.unwatched
  const tries = (before?.tries ?? 0) + 1
  const attention = `the session is not watched: ${why}; outpool tries again`
  const otherwise = state.attention === before?.attention ? before.otherwise : state.attention
  show(ctx, { attention, unwatched: { tries, attention, otherwise } })
  const pause = backoff(tries, { base: retryEvery, cap: retryMaxInterval }, state.name)
  await condition(() => handlers.hasOrders(), pause, { summary: 'a pause before it is watched again' })
}

/** A host that refuses to watch says so at once. Milliseconds. */
const refusesWithin = 10_000

/** A watch that does not end at once works: the attention about the failed ones is withdrawn. */
export async function clearUnwatched(ctx: SessionContext, isInterrupted: () => boolean): Promise<void> {
  const { state } = ctx
  if (!state.unwatched) return
  if (await condition(isInterrupted, refusesWithin, { summary: 'does the host watch it now?' })) return
  const { attention, otherwise } = state.unwatched
  show(ctx, {
    unwatched: null,
    attention: state.attention === attention ? otherwise : state.attention,
  })
}
