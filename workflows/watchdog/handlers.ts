/** The messages to a watchdog. Handlers only record them, and the watchdog's loop acts; a check is carried out at once. */
import { setHandler } from '@temporalio/workflow'
import { type ServiceSpec, displayedState } from '../../policy/service/service.js'
import { type EscalationEnd, watchdogQueries, watchdogSignals, watchdogUpdates } from '../messages.js'
import type { serviceStepsOn } from '../proxies.js'
import { view, type WatchdogState } from './state.js'

export class WatchdogHandlers {
  migrate = false
  #retired = false
  #spec: ServiceSpec | null = null
  #paused: boolean | null = null
  #restart = false
  #ended: EscalationEnd | null = null

  constructor(state: WatchdogState, steps: ReturnType<typeof serviceStepsOn>) {
    setHandler(watchdogSignals.configure, (spec) => {
      this.#retired = false
      // Sent at every worker start: an unchanged specification must not wake the loop.
      if (JSON.stringify(spec) !== JSON.stringify(state.spec)) this.#spec = spec
    })
    setHandler(watchdogSignals.pause, () => void (this.#paused = true))
    setHandler(watchdogSignals.resume, () => void (this.#paused = false))
    setHandler(watchdogSignals.restart, () => void (this.#restart = true))
    setHandler(watchdogSignals.retire, () => void (this.#retired = true))
    setHandler(watchdogSignals.escalationEnded, (end) => {
      this.#ended = end
    })
    setHandler(watchdogSignals.migrate, () => void (this.migrate = true))
    setHandler(watchdogQueries.describe, () => view(state))
    setHandler(watchdogUpdates.check, async () => {
      const { name } = state.spec
      const summary = 'a person asks for a check'
      const checked = await steps.checkService.executeWithOptions({ summary }, [{ service: name }])
      const { verdict, why, pid, lastBeat, nextCheckAt } = checked
      const { restarts, incident } = view(state)
      const service = {
        name,
        state: displayedState(state.state, verdict),
        pid,
        lastBeat,
        restarts,
        incident,
        nextCheckAt,
      }
      return { verdict, why, service }
    })
  }

  /** What the newest message says: a service may be configured again at any time. */
  isRetired(): boolean {
    return this.#retired
  }

  hasMessages(): boolean {
    return (
      this.#retired || this.#spec !== null || this.#paused !== null || this.#restart || this.#ended !== null
    )
  }

  takeMessages(): {
    spec: ServiceSpec | null
    paused: boolean | null
    restart: boolean
    ended: EscalationEnd | null
  } {
    const messages = { spec: this.#spec, paused: this.#paused, restart: this.#restart, ended: this.#ended }
    this.#spec = this.#paused = this.#ended = null
    this.#restart = false
    return messages
  }
}
