/** What happens to the worker itself: it begins and ends, takes a configuration, and loses and finds the engine. */
import type { Config } from '../config/config.js'
import type { EventDraft, OutpoolEvent } from '../config/events/schema.js'
import type { EventStore } from '../host/state/eventStore.js'

export class WorkerEvents {
  readonly #events: EventStore
  readonly #address: string
  #outages = 0
  #configurations = 0
  /** Of the configuration in use. */
  #digest: string | null = null
  /** Makes the ids of this worker: the number of a process is used again after a while. */
  readonly #worker = `${process.pid}-${Date.now()}`

  constructor(events: EventStore, address: string) {
    this.#events = events
    this.#address = address
  }

  /** Also records the end of the worker before this one, if that died before it could. Returns whether it did. */
  begun(config: Config): boolean {
    const last = this.#events.stored('"worker-').findLast(isOfWorker)
    const hasDied = last?.kind === 'worker-up'
    if (hasDied)
      this.#events.record({
        ...{ id: `${last.id}/died`, at: now(), kind: 'worker-down', pid: last.pid, how: 'died' },
        why: 'it ended without stopping in order',
      })
    this.configured(config)
    this.#events.record({ ...this.#common('up'), kind: 'worker-up', pid: process.pid })
    return hasDied
  }

  /** Not recorded again for the text that is in use already. */
  configured({ file, digest, pool, substrates, tasks, services }: Config): void {
    if (digest === this.#digest) return
    this.#digest = digest
    this.#configurations += 1
    this.#events.record({
      ...{ ...this.#common(`configuration-${this.#configurations}`), kind: 'configuration-taken', file },
      ...{ accounts: pool.accounts.length, substrates: substrates.length },
      ...{ tasks: tasks.length, services: services.length },
    })
  }

  stopped(why: string): void {
    this.#events.record({
      ...{ ...this.#common('down'), kind: 'worker-down', pid: process.pid, how: 'stopped', why },
    })
  }

  engine(change: { isUp: false } | { isUp: true; downMs: number }): void {
    if (!change.isUp) this.#outages += 1
    const address = this.#address
    this.#events.record(
      change.isUp
        ? { ...this.#common(`engine-up-${this.#outages}`), kind: 'engine-up', address, downMs: change.downMs }
        : { ...this.#common(`engine-down-${this.#outages}`), kind: 'engine-down', address },
    )
  }

  #common(what: string): Pick<EventDraft, 'id' | 'at'> {
    return { id: `worker/${this.#worker}/${what}`, at: now() }
  }
}

const now = (): string => new Date().toISOString()

const isOfWorker = (
  event: OutpoolEvent,
): event is Extract<OutpoolEvent, { kind: 'worker-up' | 'worker-down' }> =>
  event.kind === 'worker-up' || event.kind === 'worker-down'
