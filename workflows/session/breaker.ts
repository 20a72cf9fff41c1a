/** The breaker of a session: turns that Outpool itself begins are counted, and beyond their limit a person has to look (law 13). */
import { recentTurns, trippedBy, type TurnCause } from '../../policy/session/breaker.js'
import { now, type Run, show } from './context.js'

/** Counts a turn that is about to be begun. False where it may not be: the session is then parked by its own loop. */
export function mayBegin(run: Run, cause: TurnCause): boolean {
  const { state } = run
  const why = trippedBy(state.begun, now(), state.timing)
  if (why === null) {
    state.begun = recentTurns([...state.begun, { at: now(), cause }], now(), state.timing)
    return true
  }
  if (state.breaker === null) {
    const attention = `${why}, more than anything explains, and is parked: look with outpool attach ${state.name}, then outpool resume ${state.name}`
    show(run, { breaker: { at: now(), attention } })
    run.mail.orders.push({ kind: 'trip' })
  }
  return false
}
