/** Keeps what is over from piling up on this host: looks every so often, and takes away what `keep` lets go. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Host } from '../../host/host.js'
import { removeForks, removeHandOvers, removeWakeUpConversations } from './forks.js'
import { removeLeftovers } from './leftovers.js'
import { removeSessions, type GetWorkflowState } from './sessions.js'
import { removeIncidents, removeUnconfigured } from './unconfigured.js'

/** A worker that has just been started has sessions to see to first. */
const firstRunAfter = 60_000

/** How many of each were taken away. */
export type CleanupCounts = Record<string, number>

/** What one part meets does not keep the others from theirs. `now`: ms since the epoch. */
export async function runCleanup(
  host: Host,
  workflowOf: GetWorkflowState,
  now: number,
): Promise<CleanupCounts> {
  const parts: Record<string, () => number | Promise<number>> = {
    leftovers: () => removeLeftovers(host.home, now),
    // Before the folders of sessions, which know of them.
    forks: () => removeForks(host, now),
    handOvers: () => removeHandOvers(host, now),
    sessions: () => removeSessions(host, workflowOf, now),
    wakeUps: () => removeWakeUpConversations(host, now),
    incidents: () => removeIncidents(host, now),
    unnamed: () => removeUnconfigured(host, now),
  }
  const counts: CleanupCounts = {}
  for (const [name, part] of Object.entries(parts)) {
    try {
      counts[name] = await part()
    } catch (error) {
      console.error(`outpool: old ${name} could not be cleared away, it is tried again later:`, error)
    }
  }
  return counts
}

export class CleanupLoop {
  readonly #host: Host
  readonly #workflowOf: GetWorkflowState
  readonly #stopped = new AbortController()
  #running: Promise<void> | null = null

  constructor(host: Host, workflowOf: GetWorkflowState) {
    this.#host = host
    this.#workflowOf = workflowOf
  }

  start(): void {
    this.#running = this.#loop()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopped
    const { every } = this.#host.config.keep
    for (let pause = Math.min(firstRunAfter, every); ; pause = every) {
      await delay(pause, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      await runCleanup(this.#host, this.#workflowOf, Date.now())
    }
  }
}
