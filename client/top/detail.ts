/** Reads what the screen shows of the chosen session only: its newest events, and what its pane shows now. */
import { EventReader } from '../../config/events/files.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import type { Home } from '../../config/state/home.js'
import { FailedError } from '../errors.js'
import { isAboutSession } from '../output/events.js'
import { paneLines } from '../tmux/server.js'

export interface SessionDetail {
  name: string
  /** Newest last; of this host. */
  events: OutpoolEvent[]
  /** Null if there is none here. It is only shown, and kept nowhere: it may hold anything that an agent wrote. */
  pane: string[] | null
  /** Why the pane cannot be read, for a person. */
  problem: string | null
}

/** More than fit the largest screen. */
const eventsKept = 60

/** For one session after the other: goes on reading the events of the same one where it was. */
export class DetailReader {
  readonly #home: Home
  #session: { name: string; reader: EventReader; events: OutpoolEvent[] } | null = null

  constructor(home: Home) {
    this.#home = home
  }

  async read(name: string): Promise<SessionDetail> {
    return { name, events: this.#events(name), ...(await this.#pane(name)) }
  }

  #events(name: string): OutpoolEvent[] {
    if (this.#session?.name !== name)
      this.#session = {
        name,
        reader: new EventReader(this.#home, { words: [JSON.stringify(name)] }),
        events: [],
      }
    const { reader, events } = this.#session
    events.push(...reader.next().filter((event) => isAboutSession(event, name)))
    events.splice(0, events.length - eventsKept)
    return [...events]
  }

  async #pane(name: string): Promise<Pick<SessionDetail, 'pane' | 'problem'>> {
    try {
      return { pane: await paneLines(this.#home, name), problem: null }
    } catch (error) {
      if (!(error instanceof FailedError)) throw error
      return { pane: null, problem: error.message }
    }
  }
}
