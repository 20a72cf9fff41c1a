/** Since when the sessions of this host are parked, from its events: they outlive the worker that recorded them. */
import type { OutpoolEvent } from '../../config/events/schema.js'
import type { SessionTraces } from '../../policy/retention.js'

/** The beginnings of the kinds that matter, as they are written in the files of events. */
export const parkWords = [
  ...['"session-parked"', '"session-woken"', '"session-stopped"', '"session-paused"', '"session-released"'],
]

export class ParkedSessions {
  /** Milliseconds since the epoch, in the order in which the sessions were parked. */
  readonly #since = new Map<string, number>()
  readonly #stateOf: (session: string) => Promise<SessionTraces['workflow']>

  /** `stateOf`: whether a session still exists: one that was ended in the engine leaves no event. */
  constructor(
    stored: readonly OutpoolEvent[],
    stateOf: (session: string) => Promise<SessionTraces['workflow']>,
  ) {
    this.#stateOf = stateOf
    for (const event of stored) this.note(event)
  }

  note(event: OutpoolEvent): void {
    switch (event.kind) {
      case 'session-parked':
        this.#since.set(event.session, Date.parse(event.at))
        return
      case 'session-woken':
      case 'session-released':
      case 'session-stopped':
      case 'session-paused':
        this.#since.delete(event.session)
        return
      default:
    }
  }

  /** For how long the first of the sessions that are still parked has been so, in milliseconds; 0 if none is parked. */
  async longest(now: number): Promise<number> {
    for (const [session, since] of this.#since) {
      if ((await this.#stateOf(session)) !== 'over') return Math.max(0, now - since)
      this.#since.delete(session)
    }
    return 0
  }
}
