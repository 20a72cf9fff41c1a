/** Which conversations have to be brought to a place before the agent is launched there. */
import { isSamePlace, type PlaceRef } from '../../policy/place.js'
import type { CarryRequest } from '../../activities/contracts.js'
import type { BringUp, SessionState } from './state.js'

/** The session's own conversation, and to a substrate also the fork that goes on there. */
export function carriesTo(state: SessionState, { scattered }: BringUp, to: PlaceRef): CarryRequest[] {
  const { name: session, agent, place, home, fork, sessionId } = state
  if (!state.continues && place === null) return []
  const arrives = scattered || !isSamePlace(place, to)
  const isHome = to.kind === 'account'
  const carry = (conversation: string, from: PlaceRef | null): CarryRequest => ({
    ...{ session, sessionId: conversation, agent, from: scattered ? null : from, to },
  })
  const isOwnElsewhere = isHome ? scattered || !isSamePlace(home, to) : arrives
  return [
    ...(isOwnElsewhere ? [carry(sessionId, home)] : []),
    ...(!isHome && fork !== null && arrives && place?.kind === 'substrate' ? [carry(fork.id, place)] : []),
  ]
}

/** `carry the conversation from max-1`; null where nothing is carried. */
export function carryingFrom([first]: readonly CarryRequest[]): string | null {
  return first ? `carry the conversation from ${sourceOf(first)}` : null
}

const sourceOf = ({ from }: CarryRequest): string => from?.name ?? 'where it was last written'
