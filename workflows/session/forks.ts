/** Which conversation a session writes: its own on accounts, a fork of it on substrates. */
import { uuid4 } from '@temporalio/workflow'
import type { PlaceRef } from '../../policy/session/place.js'
import { now } from '../now.js'
import type { Fork, SessionState } from './state.js'

/** Forks that are not handed over yet; beyond this number the oldest are dropped here, and only their transcripts remain. */
const maxForks = 20

/** The conversation that a process on this place writes. */
export const conversationAt = ({ sessionId, fork }: SessionState, place: PlaceRef): string =>
  place.kind === 'substrate' ? (fork?.id ?? sessionId) : sessionId

/** The fork on which the session works while it is on substrates: chosen before the launch, and kept from one substrate to the next. */
export const forkFor = ({ fork }: SessionState): Fork => fork ?? { id: uuid4(), since: now() }

/** Whether the session runs on a substrate, or on a lesser model than the first one that it wants. */
export const isOnFallback = ({ place, models, runsModel }: SessionState): boolean =>
  place?.kind === 'substrate' || (models.length > 0 && runsModel !== models[0])

/** Records that the session is back on an account, and that its fork has to be handed over. */
export function completeFailback(state: SessionState, home: PlaceRef, handedOver: readonly string[]): void {
  const forks = state.fork === null ? state.forks : [...state.forks, state.fork.id]
  state.forks = forks.filter((fork) => !handedOver.includes(fork)).slice(-maxForks)
  state.fork = null
  state.home = home
}

/** Records that a person began another conversation in the pane. A fork before it is handed over like any other. */
export function recordRename(state: SessionState, conversation: string): void {
  if (state.place?.kind !== 'substrate' || state.fork === null) {
    state.sessionId = conversation
    return
  }
  state.forks = [...state.forks, state.fork.id].slice(-maxForks)
  state.fork = { id: conversation, since: state.fork.since }
}
