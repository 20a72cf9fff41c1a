/**
 * The sessions as the engine lists them, and as their workflows have shown themselves since: listing hundreds takes the engine tenths of
 * a second, and seconds while they all move.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type EngineCalls, listSessions, sorted } from '../../config/engine/sessions.js'
import { type ListedSession, memoSchema } from '../../config/fleet/session.js'

/** Milliseconds. */
const day = 24 * 60 * 60_000
/** A list that began this recently is not asked for again, nor one that began so many times as long ago as it took. */
const freshFor = { atLeast: 500, timesItTook: 20 } as const
/**
 * How old the last list may be. What has changed since is shown by the workflows, unless a run was terminated or deleted, or a worker of
 * another host carries the workflow out.
 */
const knownFor = 60_000
/**
 * A new list is waited for this long before the last one has to do: a quiet engine lists dozens of sessions in less. Longer if there are
 * sessions of other hosts, of which the last list may know less.
 */
const patience = { own: 40, others: 100 } as const
/** When a session changes, an older list is read again, so that there is one if many are about to change. */
const readAgainAfter = 30_000
/** The engine's lists lag this much behind what workflows have shown. */
const listedAfter = 5_000
/** A list that takes longer is read again for the next question. */
const listWithin = 10_000

interface Shown {
  session: ListedSession
  at: number
}

export class SessionList {
  readonly #engine: EngineCalls
  readonly #ownHost: string
  readonly #now: () => number
  #last: { begunAt: number; took: number; sessions: readonly ListedSession[] } | null = null
  #reading: Promise<void> | null = null
  readonly #shown = new Map<string, Shown>()

  /** `now`: a clock that only goes forward, in ms. */
  constructor(engine: EngineCalls, ownHost: string, now = () => performance.now()) {
    this.#engine = engine
    this.#ownHost = ownHost
    this.#now = now
  }

  /** Takes what the workflow of a session has just shown of it. `since`: when its run began. Anything else is passed over. */
  note(memo: unknown, since: Date): void {
    const card = memoSchema.safeParse(memo).data
    if (card === undefined) return
    const running = card.phase !== 'stopped'
    const session = { card, running, since, endedAt: running ? null : new Date() }
    this.#shown.set(card.name, { session, at: this.#now() })
    if (this.#age() > readAgainAfter) void this.#read()
  }

  /** Running sessions, and those that stopped since then, sorted by name. Rejects if the engine does not answer. */
  async sessions(closedSince: Date | 'ever'): Promise<ListedSession[]> {
    if (closedSince === 'ever') {
      const begunAt = this.#now()
      return this.#withShown(await listSessions(this.#engine, closedSince), begunAt)
    }
    const age = this.#age()
    if (age > this.#freshFor()) {
      const reading = this.#read()
      if (age > knownFor) await reading
      else await Promise.race([reading, delay(this.#patience(), undefined, { ref: false })])
    }
    const { sessions = [], begunAt = 0 } = this.#last ?? {}
    return this.#withShown(sessions, begunAt).filter(
      ({ endedAt }) => endedAt === null || endedAt >= closedSince,
    )
  }

  /** Resolves when no call of the engine is under way. */
  async settled(): Promise<void> {
    await this.#reading?.catch(() => undefined)
  }

  #freshFor(): number {
    return Math.min(Math.max(freshFor.atLeast, freshFor.timesItTook * (this.#last?.took ?? 0)), knownFor)
  }

  #patience(): number {
    const sessions = this.#last?.sessions ?? []
    const hasOthers = sessions.some(({ card, running }) => running && card.host !== this.#ownHost)
    return hasOthers ? patience.others : patience.own
  }

  #age(): number {
    return this.#last === null ? Infinity : this.#now() - this.#last.begunAt
  }

  /** One at a time. Rejects if the engine does not answer. */
  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = null))
    // Not everyone who lets it begin waits for its end.
    this.#reading.catch(() => undefined)
    return this.#reading
  }

  async #readOnce(): Promise<void> {
    const begunAt = this.#now()
    const { client } = this.#engine
    const sessions = await client.withDeadline(Date.now() + listWithin, () =>
      listSessions(this.#engine, new Date(Date.now() - day)),
    )
    this.#last = { begunAt, took: this.#now() - begunAt, sessions }
    for (const [name, { at }] of this.#shown) if (at < begunAt - listedAfter) this.#shown.delete(name)
  }

  #withShown(sessions: readonly ListedSession[], begunAt: number): ListedSession[] {
    const byName = new Map(sessions.map((session) => [session.card.name, session]))
    for (const [name, { session, at }] of this.#shown) {
      const listed = byName.get(name)
      const isNewer = listed === undefined || listed.since <= session.since
      if (at >= begunAt - listedAfter && isNewer) byName.set(name, session)
    }
    return sorted(byName.values())
  }
}
