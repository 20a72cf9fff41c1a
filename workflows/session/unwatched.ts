/** A session that its host will not watch, such as one on an account that the configuration no longer names. A person is told. */
import { condition } from '@temporalio/workflow'
import { backoff } from '../../policy/backoff.js'
import { type Run, show } from './run.js'

export class Unwatched {
  readonly #run: Run
  #fails = 0
  /** What a person is told, and what they were told before. */
  #told: { attention: string; before: string | null } | null = null

  constructor(run: Run) {
    this.#run = run
  }

  /** The host would not, for a reason that a retry does not mend at once. Returns when it is time for the next try. */
  async failed(why: string): Promise<void> {
    const { state, mail, tellsUnwatched } = this.#run
    this.#fails += 1
    if (tellsUnwatched) {
      const attention = `nobody watches it: ${why}; it is tried again`
      const before = state.attention === this.#told?.attention ? this.#told.before : state.attention
      this.#told = { attention, before }
      show(this.#run, { attention })
    }
    const { retryEvery, retryAtMost } = state.timing
    const pause = tellsUnwatched
      ? backoff(this.#fails, { base: retryEvery, cap: retryAtMost }, state.name)
      : retryEvery
    await condition(() => mail.hasOrders(), pause)
  }

  /** A watch that does not end at once stands: what was said of those before it no longer holds. */
  async untilItStands(hasNews: () => boolean): Promise<void> {
    const { state } = this.#run
    if (this.#told === null || (await condition(hasNews, state.timing.retryEvery))) return
    const { attention, before } = this.#told
    this.#told = null
    this.#fails = 0
    if (state.attention === attention) show(this.#run, { attention: before })
  }
}
