/** What the parts of a running escalation share. */
import type { launchesOn, serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import type { Display } from './display.js'
import type { EscalationHandlers } from './handlers.js'
import type { EscalationState } from './state.js'

export interface EscalationContext {
  state: EscalationState
  handlers: EscalationHandlers
  display: Display
  steps: ReturnType<typeof serviceStepsOn>
  watches: ReturnType<typeof serviceWatchesOn>
  launches: ReturnType<typeof launchesOn>
}

/** Changes the state, and shows what changed. */
export function show({ state, display }: EscalationContext, change: Partial<EscalationState> = {}): void {
  Object.assign(state, change)
  display.show(state)
}
