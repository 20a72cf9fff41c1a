/** The breaker of a session: turns that Outpool itself begins are counted, and beyond their limit a person has to look (law 13). */
import { recentTurns, tripReason, type TurnCause } from '../../policy/session/breaker.js'
import { now, type SessionContext, show } from './context.js'

/** Counts a turn that is about to be begun. False where it may not be: the session is then parked by its own loop. */
export function mayBeginTurn(ctx: SessionContext, cause: TurnCause): boolean {
  const { state } = ctx
  const why = tripReason(state.countedTurns, now(), state.timing)
  if (why === null) {
    state.countedTurns = recentTurns([...state.countedTurns, { at: now(), cause }], now(), state.timing)
    return true
  }
  if (state.breaker === null) {
    const attention = `${why}, more than anything explains, and is parked: look with outpool attach ${state.name}, then outpool resume ${state.name}`
    show(ctx, { breaker: { at: now(), attention } })
    ctx.handlers.orders.push({ kind: 'breaker-tripped' })
  }
  return false
}
