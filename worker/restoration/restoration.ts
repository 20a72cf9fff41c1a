/** Looks at intervals for workflows of this host that were ended at the engine behind Outpool's back, and starts them again. */
import { statSync } from 'node:fs'
import { PollingLoop } from '../../activities/pollingLoop.js'
import type { Sampler } from '../../activities/watch/sampler.js'
import type { Host } from '../../host/host.js'
import { DeletedSessions } from './deleted.js'
import { type InactiveOptions, InactiveSessions } from './inactive.js'
import { TerminatedWorkflows } from './terminated.js'

/** One list of workflows each time, and one more at some, whatever the number of sessions. Milliseconds. */
const pollEvery = 10_000

export class Restoration {
  readonly #host: Host
  readonly #terminated: TerminatedWorkflows
  readonly #deleted: DeletedSessions
  readonly #inactive: InactiveSessions
  readonly #loop: PollingLoop
  /** Up to when everything that was terminated has been seen; ms since the epoch. */
  #seenUpTo: number

  /** `isEmbedded`: the engine serves this host alone. */
  constructor(
    host: Host,
    sampler: Sampler,
    { client, engine, keys, isEmbedded }: Omit<InactiveOptions, 'host'>,
  ) {
    this.#host = host
    this.#seenUpTo = lastAlive(host)
    this.#terminated = new TerminatedWorkflows({
      ...{ client, engine, keys, hostId: host.home.hostId, config: () => host.config },
      onSession: (session, runId) => this.#record(session, 'terminated', runId),
    })
    this.#deleted = new DeletedSessions(host, sampler, client, engine)
    this.#inactive = new InactiveSessions({ host, client, engine, keys, isEmbedded })
    this.#loop = new PollingLoop({
      run: () => this.#poll(),
      pauseAfter: () => pollEvery,
      firstPause: pollEvery,
      failureText: 'workflows that were ended at the engine could not be looked for',
    })
  }

  start(): void {
    this.#loop.start()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #poll(): Promise<void> {
    const now = Date.now()
    await this.#terminated.restoreSince(this.#seenUpTo)
    this.#seenUpTo = now
    await this.#deleted.restoreMissing((session, launch) => this.#record(session, 'deleted', launch))
    await this.#inactive.poll((session, loss) => this.#record(session, 'deleted', loss))
  }

  #record(session: string, how: 'terminated' | 'deleted', id: string): void {
    const at = new Date().toISOString()
    this.#host.events.record({ id: `session-restored/${id}`, at, kind: 'session-restored', session, how })
  }
}

/** When the worker before was last alive; now, if there was none. */
function lastAlive({ home }: Host): number {
  const info = statSync(home.liveFile, { throwIfNoEntry: false })
  return info === undefined ? Date.now() : info.mtimeMs
}
