/** The messages to an escalation. Handlers only record them; the escalation's loop acts. */
import { setHandler } from '@temporalio/workflow'
import { escalationQueries, escalationSignals } from '../messages.js'
import { type EscalationState, view } from './state.js'

export class EscalationHandlers {
  /** Set by a person, by the watchdog, or when the workflow is cancelled. */
  isStopped = false
  migrate = false

  constructor(state: EscalationState) {
    setHandler(escalationSignals.stop, () => void (this.isStopped = true))
    setHandler(escalationSignals.ping, () => undefined)
    setHandler(escalationSignals.migrate, () => void (this.migrate = true))
    setHandler(escalationQueries.describe, () => view(state))
  }
}
