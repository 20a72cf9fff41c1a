/** What the parts of a running session share. */
import { workflowInfo } from '@temporalio/workflow'
import type { movesOn, stepsOn, watchesOn } from '../proxies.js'
import type { SessionRef } from '../../activities/contracts.js'
import type { Display } from './display.js'
import type { Mailbox } from './mailbox.js'
import type { SessionState } from './state.js'

export interface Run {
  state: SessionState
  mail: Mailbox
  display: Display
  steps: ReturnType<typeof stepsOn>
  moves: ReturnType<typeof movesOn>
  watches: ReturnType<typeof watchesOn>
}

/** The instant of the workflow's own clock, the same at every replay. */
export const now = (): string => new Date().toISOString()

/** The process that is the session's now. Only asked for once there was one. */
export function currentRef(state: SessionState): SessionRef {
  const { name, sessionId, fence, agent, cwd, place } = state
  return {
    session: name,
    sessionId,
    fence,
    agent,
    cwd,
    place: place ?? { kind: 'account', name: state.account ?? '' },
  }
}

export function show({ display, state }: Run, change: Partial<SessionState> = {}): void {
  Object.assign(state, change)
  display.show(state)
}

/** Whether the history has to be cut: it has grown long, or somebody wants new code to take over. */
export const mustRenew = ({ mail }: Run): boolean => mail.migrate || workflowInfo().continueAsNewSuggested
