/** What the parts of a running session share. */
import { workflowInfo } from '@temporalio/workflow'
import type { movesOn, stepsOn, watchesOn } from '../proxies.js'
import { hasGrownLong } from '../renewal.js'
import type { SessionRef } from '../../activities/contracts.js'
import type { Display } from './display.js'
import { conversationAt } from './forks.js'
import type { Mailbox } from './handlers.js'
import type { SessionState } from './state.js'

export interface Run {
  state: SessionState
  mail: Mailbox
  display: Display
  steps: ReturnType<typeof stepsOn>
  moves: ReturnType<typeof movesOn>
  watches: ReturnType<typeof watchesOn>
}

export { now } from '../now.js'

/** The process that is the session's now. Only asked for once there was one. */
export function currentRef(state: SessionState): SessionRef {
  const { name, fence, agent, cwd } = state
  const place = state.place ?? { kind: 'account', name: state.account ?? '' }
  return { session: name, sessionId: conversationAt(state, place), fence, agent, cwd, place }
}

export function show({ display, state }: Run, change: Partial<SessionState> = {}): void {
  Object.assign(state, change)
  display.show(state)
}

/** Whether the history has to be cut: it has grown long, or somebody wants new code to take over. */
export const mustRenew = ({ mail }: Run): boolean => mail.migrate || workflowInfo().continueAsNewSuggested

/** Whether this is a good moment to cut it: it has grown, and no step is under way. Only asked while no watch stands. */
export const mayRenew = ({ state }: Run): boolean =>
  state.bringUp === null && state.inbox.length === 0 && hasGrownLong()
