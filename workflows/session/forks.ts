/** Which conversation is written where: the session's own on accounts, a fork of it on substrates. */
import { uuid4 } from '@temporalio/workflow'
import type { PlaceRef } from '../../policy/session/place.js'
import { now } from '../now.js'
import type { Fork, SessionState } from './state.js'

/** More forks than this of which home was told nothing: the oldest are in the log and on the disk. */
const maxForks = 20

/** The conversation that the process in this place writes. */
export const conversationAt = ({ sessionId, fork }: SessionState, place: PlaceRef): string =>
  place.kind === 'substrate' ? (fork?.id ?? sessionId) : sessionId

/** The fork on which the session works while it is away: chosen before anything is launched, and kept from substrate to substrate. */
export const forkFor = ({ fork }: SessionState): Fork => fork ?? { id: uuid4(), since: now() }

/** Whether the session runs on something else than it wanted. */
export const isOnFallback = ({ place, models, runsModel }: SessionState): boolean =>
  place?.kind === 'substrate' || (models.length > 0 && runsModel !== models[0])

/** The session runs at home again: what its fork did is to be handed over. */
export function completeFailback(state: SessionState, home: PlaceRef, handedOver: readonly string[]): void {
  const forks = state.fork === null ? state.forks : [...state.forks, state.fork.id]
  state.forks = forks.filter((fork) => !handedOver.includes(fork)).slice(-maxForks)
  state.fork = null
  state.home = home
}

/** A person began another conversation in the same pane. One that was a fork is handed over like any other. */
export function recordRename(state: SessionState, conversation: string): void {
  if (state.place?.kind !== 'substrate' || state.fork === null) {
    state.sessionId = conversation
    return
  }
  state.forks = [...state.forks, state.fork.id].slice(-maxForks)
  state.fork = { id: conversation, since: state.fork.since }
}
