/** One round of decisions: what each account is worth now, and whom to ask. Judged once for all who want the same. */
import { isVoluntary, type AccountRecord, type PoolDesk, type Waiting } from './desk.js'
import { earlier, ms } from './instants.js'
import { askAt, isAsking } from './probes.js'
import { probeTakesAtMost } from './records.js'
import type { Obstacles } from './refuse.js'
import { standingOf, type Standing } from './standing.js'

/** Accounts that failed in a rescue are left out this long; for good would be a held state that nothing ends. */
export const excludedFor = 5 * 60_000

/** One account, as a request sees it. */
export interface Prospect {
  account: AccountRecord
  standing: Standing
  /** When it is worth asking, or null. */
  askAt: number | null
  /** Until when this request leaves the account out, or null. */
  excludedUntil: number | null
}

export class Round {
  readonly now: number
  readonly probes = new Set<string>()
  lookAgainAt: number | null = null
  private current: PoolDesk
  private readonly judged = new Map<string, Omit<Prospect, 'excludedUntil'>>()

  private readonly unserved = new Map<string | null, Obstacles | 'held'>()

  constructor(desk: PoolDesk, now: number) {
    this.current = desk
    this.now = now
  }

  get desk(): PoolDesk {
    return this.current
  }

  /** After a grant nothing holds that was judged before it. */
  set desk(desk: PoolDesk) {
    this.current = desk
    this.judged.clear()
    this.unserved.clear()
  }

  judge(account: AccountRecord, model: string | null): Omit<Prospect, 'excludedUntil'> {
    const key = `${account.name} ${model ?? ''}`
    const known = this.judged.get(key)
    if (known !== undefined) return known
    const standing = standingOf(this.desk, account, model, this.now)
    const found = { account, standing, askAt: askAt(account, standing, this.desk.settings.timing, this.now) }
    this.judged.set(key, found)
    return found
  }

  prospects({ request, since }: Waiting): Prospect[] {
    const pinnedTo = request.pinned ? request.prefer : null
    // A move without a target is away from here, wherever that is.
    const leaves = isVoluntary(request) && request.prefer !== request.from ? request.from : null
    const prospects: Prospect[] = []
    for (const account of this.desk.accounts) {
      if ((pinnedTo !== null && account.name !== pinnedTo) || account.name === leaves) continue
      const judged = this.judge(account, request.model)
      if (judged.standing.kind === 'unable' && judged.standing.cause === 'not-in-pool') continue
      const isExcluded = request.exclude.includes(account.name) && this.now < ms(since) + excludedFor
      prospects.push({ ...judged, excludedUntil: isExcluded ? ms(since) + excludedFor : null })
    }
    return prospects
  }

  /** What came of an earlier request of this round that wanted the same, where there was no able account for it. */
  hopeless(waiting: Waiting): Obstacles | 'held' | null {
    return this.isPlain(waiting) ? (this.unserved.get(waiting.request.model) ?? null) : null
  }

  noteHopeless(waiting: Waiting, outcome: Obstacles | 'held'): void {
    if (this.isPlain(waiting)) this.unserved.set(waiting.request.model, outcome)
  }

  /** Requests that any account would do for differ in nothing but their model. */
  private isPlain({ request, since }: Waiting): boolean {
    if (request.pinned || isVoluntary(request)) return false
    return request.exclude.length === 0 || this.now >= ms(since) + excludedFor
  }

  /** Has these accounts asked where that is allowed now; true where an answer is on its way. */
  ask(prospects: readonly Prospect[]): boolean {
    let underWay = false
    for (const { account, askAt } of prospects) {
      if (isAsking(account, this.now)) {
        underWay = true
        this.lookAgain(account.asking === null ? null : ms(account.asking) + probeTakesAtMost)
      } else if (askAt !== null && askAt <= this.now) {
        underWay = true
        this.probes.add(account.name)
        this.lookAgain(this.now + probeTakesAtMost)
      } else this.lookAgain(askAt)
    }
    return underWay
  }

  lookAgain(at: number | null): void {
    this.lookAgainAt = earlier(this.lookAgainAt, at)
  }
}
