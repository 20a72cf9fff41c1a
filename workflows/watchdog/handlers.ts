/** What others tell a watchdog. Handlers only take note, and the watchdog's loop acts; a look that was asked for is taken at once. */
import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow'
import { type ServiceSpec, shownState } from '../../policy/service/service.js'
import {
  type Checked,
  type EscalationEnd,
  watchdogQueries,
  type WatchdogCard,
  watchdogSignals,
  watchdogUpdates,
} from '../messages.js'
import type { serviceStepsOn } from '../proxies.js'
import { card, type WatchdogState } from './state.js'

export class Mailbox {
  migrate = false
  #retired = false
  #spec: ServiceSpec | null = null
  #paused: boolean | null = null
  #ended: EscalationEnd | null = null

  constructor(state: WatchdogState, steps: ReturnType<typeof serviceStepsOn>) {
    setHandler(defineSignal<[ServiceSpec]>(watchdogSignals.configure), (spec) => {
      this.#retired = false
      // Sent at every worker start: what says nothing new wakes nobody.
      if (JSON.stringify(spec) !== JSON.stringify(state.spec)) this.#spec = spec
    })
    setHandler(defineSignal(watchdogSignals.pause), () => void (this.#paused = true))
    setHandler(defineSignal(watchdogSignals.resume), () => void (this.#paused = false))
    setHandler(defineSignal(watchdogSignals.retire), () => void (this.#retired = true))
    setHandler(defineSignal<[EscalationEnd]>(watchdogSignals.escalationEnded), (end) => {
      this.#ended = end
    })
    setHandler(defineSignal(watchdogSignals.migrate), () => void (this.migrate = true))
    setHandler(defineQuery<WatchdogCard>(watchdogQueries.describe), () => card(state))
    setHandler(defineUpdate<Checked>(watchdogUpdates.check), async () => {
      const { name } = state.spec
      const summary = 'a person wants to know'
      const seen = await steps.lookAtService.executeWithOptions({ summary }, [{ service: name }])
      const { verdict, why, pid, lastBeat, nextCheckAt } = seen
      const { restarts, incident } = card(state)
      const service = {
        name,
        state: shownState(state.state, verdict),
        pid,
        lastBeat,
        restarts,
        incident,
        nextCheckAt,
      }
      return { verdict, why, service }
    })
  }

  /** As the last word on it was; it may be configured again at any time. */
  isRetired(): boolean {
    return this.#retired
  }

  hasNews(): boolean {
    return this.#retired || this.#spec !== null || this.#paused !== null || this.#ended !== null
  }

  take(): { spec: ServiceSpec | null; paused: boolean | null; ended: EscalationEnd | null } {
    const news = { spec: this.#spec, paused: this.#paused, ended: this.#ended }
    this.#spec = this.#paused = this.#ended = null
    return news
  }
}
