/** The breaker of a session: counts the turns that Outpool begins, and parks the session for a person beyond their limit (law 13). */
import { recentTurns, tripReason, type TurnCause } from '../../policy/session/breaker.js'
import { now } from '../now.js'
import { type SessionContext, show } from './context.js'

/** Counts a turn before it is begun. False if it may not begin: then the session's loop parks the session. */
export function mayBeginTurn(ctx: SessionContext, cause: TurnCause): boolean {
  const { state } = ctx
  const why = tripReason(state.countedTurns, now(), state.timing)
  if (why === null) {
    state.countedTurns = recentTurns([...state.countedTurns, { at: now(), cause }], now(), state.timing)
    return true
  }
  if (state.breaker === null) {
    const attention = `${why}, more than its limit, and parked the session: look with outpool attach ${state.name}, then outpool resume ${state.name}`
    show(ctx, { breaker: { at: now(), attention } })
    ctx.handlers.orders.push({ kind: 'breaker-tripped' })
  }
  return false
}
