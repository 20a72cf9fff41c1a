/** What the parts of a running watchdog share. */
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

/** Changes the state, and shows what changed. */
export function show({ display, state }: WatchdogContext, change: Partial<WatchdogState> = {}): void {
  Object.assign(state, change)
  display.show(state)
}
