/** Keeps what is over from piling up on this host: looks every so often, and takes away what `keep` lets go. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Host } from '../../host/host.js'
import { forgetForks, forgetHandOvers, forgetWakeUps } from './forks.js'
import { removeLeftovers } from './leftovers.js'
import { forgetSessions, type WorkflowOf } from './sessions.js'
import { forgetIncidents, forgetUnnamed } from './unnamed.js'

/** A worker that has just been started has sessions to see to first. */
const firstAfter = 60_000

/** How many of each were taken away. */
export type Cleaned = Record<string, number>

/** What one part meets does not keep the others from theirs. `now`: ms since the epoch. */
export async function clean(host: Host, workflowOf: WorkflowOf, now: number): Promise<Cleaned> {
  const parts: Record<string, () => number | Promise<number>> = {
    leftovers: () => removeLeftovers(host.home, now),
    // Before the folders of sessions, which know of them.
    forks: () => forgetForks(host, now),
    handOvers: () => forgetHandOvers(host, now),
    sessions: () => forgetSessions(host, workflowOf, now),
    wakeUps: () => forgetWakeUps(host, now),
    incidents: () => forgetIncidents(host, now),
    unnamed: () => forgetUnnamed(host, now),
  }
  const cleaned: Cleaned = {}
  for (const [name, part] of Object.entries(parts)) {
    try {
      cleaned[name] = await part()
    } catch (error) {
      console.error(`outpool: old ${name} could not be cleared away, it is tried again later:`, error)
    }
  }
  return cleaned
}

export class Keeper {
  readonly #host: Host
  readonly #workflowOf: WorkflowOf
  readonly #stopped = new AbortController()
  #running: Promise<void> | null = null

  constructor(host: Host, workflowOf: WorkflowOf) {
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
    for (let pause = Math.min(firstAfter, every); ; pause = every) {
      await delay(pause, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      await clean(this.#host, this.#workflowOf, Date.now())
    }
  }
}
