/**
 * What the work on this host tells metrics. While metrics are off nothing has subscribed, and a measure costs one comparison. There is
 * one worker per process, so that the measures belong to the process.
 */
import type { OutpoolEvent } from '../config/events/schema.js'
import { log } from './log.js'

type Listener<T> = (value: T) => void

class Measure<T> {
  #listener: Listener<T> | null = null

  /** Never throws: a measurement that fails must not stop a rescue. */
  record(value: T): void {
    if (this.#listener === null) return
    try {
      this.#listener(value)
    } catch (error) {
      log.error({ err: error }, 'a measurement failed')
    }
  }

  /** Replaces the subscriber before; null ends the subscription. */
  subscribe(listener: Listener<T> | null): void {
    this.#listener = listener
  }
}

export const measures = {
  /** An event of this host was recorded. */
  event: new Measure<OutpoolEvent>(),
  /** A command to tmux has ended. `via`: a line on the permanent connection, or a separate process. */
  tmux: new Measure<{ ms: number; via: 'connection' | 'process' }>(),
  /** A probe of an account has ended. `isRead`: the agent program has reported the state of the login. */
  probe: new Measure<{ account: string; isRead: boolean }>(),
  /** The engine has answered a small read from its database after so many milliseconds, or null if it did not answer. */
  engine: new Measure<{ ms: number | null }>(),
}
