/**
 * Passes events to the oracle in the order in which the pool can have received them. A host sees a grant only
 * when it is asked to launch, a little later and in any order; events within one second of virtual time are
 * sorted here first.
 */
import type { Oracle } from '../../policy/drain/oracle.js'
import type { World } from '../../policy/drain/world.js'

/**
 * Within one second: first what makes accounts able, then which session wants one, the grants by their fence,
 * and last what bars accounts. A reading that was made after a grant, and may end the trial that the grant
 * began, comes after it.
 */
const orderOf = { able: 0, read: 0, wants: 1, granted: 2, barred: 3 } as const

interface Entry {
  kind: keyof typeof orderOf
  fence: number
  account: string
  /**
   * The session concerned, if that decides the order: what refused a session was known when it was granted
   * another place.
   */
  session: string
  at: number
  apply: (at: number) => void
}

const together = 1_000

export class EventLedger {
  readonly #world: World
  readonly #oracle: Oracle
  #entries: Entry[] = []
  #ticked: number

  constructor(world: World, oracle: Oracle, start: number) {
    this.#world = world
    this.#oracle = oracle
    this.#ticked = start
  }

  add(
    kind: Entry['kind'],
    at: number,
    apply: (at: number) => void,
    { account = '', session = '', fence = 0 }: Partial<Pick<Entry, 'account' | 'session' | 'fence'>> = {},
  ): void {
    this.#entries.push({ kind, fence, account, session, at, apply })
  }

  /** Has the oracle check every change of the world up to now; what is younger than a second stays open. */
  advanceTo(now: number): void {
    for (;;) {
      const first = this.#entries.reduce((least, { at }) => Math.min(least, at), Infinity)
      const until = Math.min(now, first)
      for (
        let change = this.#world.nextChange(this.#ticked);
        change <= until;
        change = this.#world.nextChange(change)
      ) {
        this.#ticked = change
        this.#oracle.tick(change)
      }
      this.#ticked = Math.max(this.#ticked, until)
      this.#world.settle(this.#ticked)
      if (first + together > now) return
      const due = this.#entries.filter(({ at }) => at <= first + together)
      this.#entries = this.#entries.filter(({ at }) => at > first + together)
      due.sort((a, b) => orderOf[a.kind] - orderOf[b.kind] || a.fence - b.fence || a.at - b.at)
      const early = due.filter((entry) => (grantBefore(entry, due) ?? grantAfter(entry, due)) === null)
      for (const entry of early) {
        for (const refusal of due) if (grantAfter(refusal, due) === entry) refusal.apply(refusal.at)
        entry.apply(entry.at)
        for (const read of due) if (grantBefore(read, due) === entry) read.apply(read.at)
      }
      this.#oracle.tick(Math.max(this.#ticked, first))
    }
  }
}

/** The first grant on the account that this reading followed, if both lie within the same second. */
function grantBefore({ kind, account, at }: Entry, due: readonly Entry[]): Entry | null {
  if (kind !== 'read') return null
  const isFollowed = (other: Entry): boolean =>
    other.kind === 'granted' && other.account === account && other.at <= at
  return due.find(isFollowed) ?? null
}

/** The grant that the session got because of this refusal, if both lie within the same second. */
function grantAfter({ kind, session, at }: Entry, due: readonly Entry[]): Entry | null {
  if (kind !== 'barred' || session === '') return null
  const isNext = (other: Entry): boolean =>
    other.kind === 'granted' && other.session === session && other.at >= at
  return due.find(isNext) ?? null
}
