/** What the parts of a running session share. */
import type { adoptionsOn, launchesOn, sessionStepsOn, watchesOn } from '../proxies.js'
import { hasGrownLong } from '../renewal.js'
import type { RunningStep } from '../runningStep.js'
import type { SessionObservation, SessionRef } from '../../activities/contracts.js'
import type { Display } from './display.js'
import { conversationAt } from './forks.js'
import { emitAttended } from './events.js'
import type { SessionHandlers } from './handlers.js'
import type { SessionState } from './state.js'

export interface SessionContext {
  state: SessionState
  handlers: SessionHandlers
  display: Display
  steps: ReturnType<typeof sessionStepsOn>
  launches: ReturnType<typeof launchesOn>
  watches: ReturnType<typeof watchesOn>
  adoptions: ReturnType<typeof adoptionsOn>
  /** The watch of the agent that runs; null while none is watched. */
  watch: RunningStep<SessionObservation> | null
}

/** The session's current process. Only valid once there was one. */
export function currentRef(state: SessionState): SessionRef {
  const { name, fence, agent, cwd } = state
  const place = state.place ?? { kind: 'account', name: state.account ?? '' }
  return { session: name, sessionId: conversationAt(state, place), fence, agent, cwd, place }
}

/** Changes the state, and shows what changed. */
export function show({ display, state }: SessionContext, change: Partial<SessionState> = {}): void {
  Object.assign(state, change)
  emitAttended(state)
  display.show(state)
}

/** Whether this is a good moment to continue as new: the history has grown, and no step is under way. Only for when no watch runs. */
export const mayRenew = ({ state }: SessionContext): boolean =>
  state.plan === null && state.inbox.length === 0 && hasGrownLong()
