/** What the parts of a running watchdog share. */
import { workflowInfo } from '@temporalio/workflow'
import type { serviceStepsOn, serviceWatchesOn } from '../proxies.js'
import type { Display } from './display.js'
import type { WatchdogHandlers } from './handlers.js'
import type { WatchdogState } from './state.js'

export interface WatchdogContext {
  state: WatchdogState
  handlers: WatchdogHandlers
  display: Display
  steps: ReturnType<typeof serviceStepsOn>
  watches: ReturnType<typeof serviceWatchesOn>
}

/** The instant of the workflow's own clock, the same at every replay. */
export const now = (): string => new Date().toISOString()

export function show({ display, state }: WatchdogContext, change: Partial<WatchdogState> = {}): void {
  Object.assign(state, change)
  display.show(state)
}

/** Whether the history has to be cut: it has grown long, or somebody wants new code to take over. */
export const mustRenew = ({ handlers }: WatchdogContext): boolean =>
  handlers.migrate || workflowInfo().continueAsNewSuggested
