/**
 * Tells the sessions of a host that is not heard of, and tells them when it is again: their own pages in the Web UI say so, and they
 * could not know it. While every host is heard of this costs nothing.
 */
import { type HostReports, silentHostsOf } from '../../policy/notices/hostReport.js'
import { sessionSignals } from '../messages.js'
import { commonActivities } from '../proxies.js'
import { sendInBatches, signalSession } from './signals.js'
import type { PoolWorkflowState } from './state.js'

interface Change {
  host: string
  /** Null if it is heard of again. */
  since: string | null
}

export class SilenceAnnouncer {
  readonly #state: PoolWorkflowState
  /** One change after the other: a host may be back before all of its sessions were notified. */
  #changes: Change[] = []
  #isAnnouncing = false

  constructor(state: PoolWorkflowState) {
    this.#state = state
  }

  get isAnnouncing(): boolean {
    return this.#isAnnouncing
  }

  /** To be called after each message. */
  review(reports: HostReports): void {
    const silent = silentHostsOf(reports)
    const before = this.#state.silentHosts ?? []
    const fallen = silent.filter(({ host }) => !before.includes(host))
    const back = before.filter((host) => !silent.some((one) => one.host === host))
    if (fallen.length + back.length === 0) return
    this.#state.silentHosts = silent.map(({ host }) => host)
    this.#changes.push(...fallen, ...back.map((host) => ({ host, since: null })))
    if (!this.#isAnnouncing) void this.#announce()
  }

  async #announce(): Promise<void> {
    this.#isAnnouncing = true
    for (let change = this.#changes.shift(); change !== undefined; change = this.#changes.shift()) {
      const { host, since } = change
      const summary = `the sessions of ${host}, which is ${since === null ? 'heard of again' : 'not heard of'}`
      const sessions = await commonActivities.listRunningSessions.executeWithOptions(
        { summary: summary.slice(0, 200) },
        [{ pool: this.#state.pool.settings.name, host }],
      )
      await sendInBatches(
        sessions.map((session) => () => signalSession(session, sessionSignals.hostSilent, since)),
      )
    }
    this.#isAnnouncing = false
  }
}
