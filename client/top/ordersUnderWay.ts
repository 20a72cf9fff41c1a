/** The orders that were confirmed on the screen and are not carried out yet. */
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { formatError } from '../output/formatError.js'
import { oneLine } from '../output/terminal.js'
import type { Order } from './orders.js'
import type { Note } from './state.js'

/** As the command words it, in one line. */
export const problemOf = (error: unknown): string =>
  oneLine(
    formatError(error, false)
      .text.replace(/^outpool: /, '')
      .replace(/\n +-> /, ' -> '),
  )

export const failure = (error: unknown): Note => ({ text: problemOf(error), kind: 'failed', at: Date.now() })

export class OrdersUnderWay {
  readonly #home: Home
  readonly #readConfig: () => Config
  readonly #outcomes = new Set<Promise<Note>>()

  constructor(home: Home, readConfig: () => Config) {
    this.#home = home
    this.#readConfig = readConfig
  }

  /** Gives `show` what became of it, in the words of the command; it returns whether a person sees it. */
  carryOut(order: Order, show: (note: Note) => boolean): void {
    const outcome = import('./carryOut.js')
      .then(({ carryOut }) => carryOut(order, this.#home, this.#readConfig))
      .then((text): Note => ({ text, kind: 'done', at: Date.now() }), failure)
    this.#outcomes.add(outcome)
    void outcome.then((note) => {
      if (show(note)) this.#outcomes.delete(outcome)
    })
  }

  /** What becomes of those that no person has seen the end of. */
  left(): Promise<Note[]> {
    return Promise.all(this.#outcomes)
  }
}
