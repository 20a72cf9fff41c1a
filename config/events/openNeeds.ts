/** What needs a person now, as the events of a host say it: what has begun and is not over. */
import type { SessionNeed } from '../../policy/notices/hostReport.js'
import type { EventKind, OutpoolEvent } from './schema.js'

/** No event of another kind changes anything. */
const kinds: readonly EventKind[] = [
  'session-started',
  'session-moved',
  'session-parked',
  'session-woken',
  'session-crashed',
  'session-waiting',
  'session-attended',
  'session-paused',
  'session-released',
  'session-stopped',
  'account-logged-out',
  'account-logged-in',
]
/** As they are written in the files of events. */
export const needWords: readonly string[] = kinds.map((kind) => `"${kind}"`)

export class OpenNeeds {
  readonly #sessions = new Map<string, SessionNeed>()
  readonly #loggedOut = new Map<string, string>()

  /** Oldest first. */
  get sessions(): SessionNeed[] {
    return [...this.#sessions.values()]
  }

  /** Accounts without a login, with the instant since when. */
  get loggedOut(): { account: string; since: string }[] {
    return [...this.#loggedOut].map(([account, since]) => ({ account, since }))
  }

  /** For a session that was ended in the engine, which leaves no event. */
  forget(session: string): void {
    this.#sessions.delete(session)
  }

  note(event: OutpoolEvent): void {
    const begins = (need: SessionNeed['need'], session: string): void => {
      this.#sessions.delete(session)
      this.#sessions.set(session, { session, need, since: event.at })
    }
    switch (event.kind) {
      case 'session-waiting':
        begins(event.reason, event.session)
        return
      case 'session-crashed':
        begins('down', event.session)
        return
      case 'session-parked':
        // Until a person acts. What any other parked session waits for comes by itself.
        if (event.until === null) begins('breaker', event.session)
        else this.#sessions.delete(event.session)
        return
      case 'session-started':
      case 'session-moved':
      case 'session-woken':
      case 'session-attended':
      case 'session-paused':
      case 'session-released':
      case 'session-stopped':
        this.#sessions.delete(event.session)
        return
      case 'account-logged-out':
        this.#loggedOut.set(event.account, event.at)
        return
      case 'account-logged-in':
        this.#loggedOut.delete(event.account)
        return
      default:
    }
  }
}
