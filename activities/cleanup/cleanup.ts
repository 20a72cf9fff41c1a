/** Removes what is over from this host at intervals, as the configuration's `keep` allows. */
import type { Host } from '../../host/host.js'
import { PollingLoop } from '../pollingLoop.js'
import { removeForks, removeHandOvers, removeWakeUpConversations } from './forks.js'
import { removeLeftovers } from './leftovers.js'
import { removeSessions, type GetWorkflowState } from './sessions.js'
import { removeIncidents, removeUnconfigured } from './unconfigured.js'
import { log } from '../../host/log.js'

/** A worker that has just started serves its sessions first. */
const firstRunAfter = 60_000

/** How many of each were removed. */
export type CleanupCounts = Record<string, number>

/** A part that fails does not keep the others from running. `now`: ms since the epoch. */
export async function runCleanup(
  host: Host,
  workflowOf: GetWorkflowState,
  now: number,
): Promise<CleanupCounts> {
  const parts: Record<string, () => number | Promise<number>> = {
    leftovers: () => removeLeftovers(host.home, now),
    // Before the folders of sessions, which hold the records of forks.
    forks: () => removeForks(host, now),
    handOvers: () => removeHandOvers(host, now),
    sessions: () => removeSessions(host, workflowOf, now),
    wakeUps: () => removeWakeUpConversations(host, now),
    incidents: () => removeIncidents(host, now),
    unnamed: () => removeUnconfigured(host, now),
    events: () => host.events.prune(now),
  }
  const counts: CleanupCounts = {}
  for (const [name, part] of Object.entries(parts)) {
    try {
      counts[name] = await part()
    } catch (error) {
      log.error({ err: error }, `old ${name} could not be removed; the next cleanup tries again`)
    }
  }
  return counts
}

export class CleanupLoop {
  readonly #loop: PollingLoop

  constructor(host: Host, workflowOf: GetWorkflowState) {
    const { every } = host.config.keep
    this.#loop = new PollingLoop({
      run: () => runCleanup(host, workflowOf, Date.now()),
      pauseAfter: () => every,
      firstPause: Math.min(firstRunAfter, every),
      failureText: 'the cleanup failed',
    })
  }

  start(): void {
    this.#loop.start()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }
}
