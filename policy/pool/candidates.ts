/** One round of decisions: what each account is worth now, and whom to ask. Judged once for all who want the same. */
import { declaredUntil } from './simulatedWall.js'
import { isVoluntary, type AccountRecord, type PoolDesk, type Waiting } from './poolState.js'
import { clock, earlier, ms } from '../instants.js'
import type { LeaseRequest } from './lease.js'
import { askAt, isAsking } from '../account/probes.js'
import { pageInTheWay, pageText } from '../session/startPages.js'
import { probeTakesAtMost } from '../account/accountRecord.js'
import type { Obstacles } from './denial.js'
import { standingOf, substrateBar, unable, type Standing } from '../account/eligibility.js'

/** One account, as a request sees it. */
export interface Prospect {
  account: AccountRecord
  standing: Standing
  /** When it is worth asking, or null. */
  askAt: number | null
  /** Until when this request leaves the account out, or null. */
  excludedUntil: number | null
}

/** Where no page stands anywhere, it makes no difference in which folder a session works. */
const wantOf = (request: LeaseRequest, { accounts }: PoolDesk): string => {
  const { agent, models, fallback, unfit, host, cwd = '', despitePages = false } = request
  const want = [agent, models.join(), fallback?.join() ?? 'any', unfit.join()]
  const isPageAnywhere = accounts.some(({ pages }) => pages !== undefined)
  return [...want, ...(isPageAnywhere ? [host, cwd, String(despitePages)] : [])].join(' ')
}

/** A page in an account's way stands behind whatever else does: that ends by itself. */
function withPage(
  prospect: Omit<Prospect, 'excludedUntil'>,
  request: LeaseRequest,
  now: number,
): Omit<Prospect, 'excludedUntil'> {
  if (prospect.standing.kind === 'unable') return prospect
  const page = pageInTheWay(prospect.account, request, now)
  if (page === null) return prospect
  return { ...prospect, standing: unable('page', () => pageText(page), ms(page.until)), askAt: null }
}

/** What a drill's session sees in place of each account's own standing; nothing for every other session. */
function declaredWall(
  desk: PoolDesk,
  session: string,
  now: number,
): Pick<Prospect, 'standing' | 'askAt'> | null {
  const until = declaredUntil(desk, session, now)
  if (until === null) return null
  return {
    standing: unable('walled', () => `declared walled by a drill until ${clock(until, now)}`, until),
    askAt: null,
  }
}

export class Round {
  readonly now: number
  readonly probes = new Set<string>()
  lookAgainAt: number | null = null
  private current: PoolDesk
  private readonly judged = new Map<string, Omit<Prospect, 'excludedUntil'>>()

  private readonly unserved = new Map<string, Obstacles | 'held'>()

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

  /** As this request sees the account. */
  judgeFor(
    account: AccountRecord,
    model: string | null,
    request: LeaseRequest,
  ): Omit<Prospect, 'excludedUntil'> {
    return withPage(this.judge(account, model), request, this.now)
  }

  /** The accounts of the pool, as a request for this model sees them. */
  prospects({ request, since }: Waiting, model: string | null): Prospect[] {
    const pinnedTo = request.pinned ? request.prefer : null
    // A move without a target is away from here, wherever that is. Home may be here: on the model of first choice.
    const leaves =
      isVoluntary(request) && request.cause !== 'home' && request.prefer !== request.from
        ? request.from
        : null
    const declared = declaredWall(this.desk, request.session, this.now)
    const prospects: Prospect[] = []
    for (const account of this.desk.accounts) {
      if ((pinnedTo !== null && account.name !== pinnedTo) || account.name === leaves) continue
      const judged = this.judgeFor(account, model, request)
      if (judged.standing.kind === 'unable' && judged.standing.cause === 'not-in-pool') continue
      prospects.push({
        ...judged,
        ...declared,
        excludedUntil: this.excludedUntil(account.name, request, since),
      })
    }
    return prospects
  }

  /** The substrates that this request may fall back to, in its order. None for one that can stay, or wants one account only. */
  fallbacks({ request, since }: Waiting): Prospect[] {
    if (isVoluntary(request) || request.pinned) return []
    const substrates = this.desk.accounts.filter(
      ({ name, role, removed, runs }) =>
        role === 'substrate' && !removed && runs?.agent === request.agent && !request.unfit.includes(name),
    )
    const inOrder =
      request.fallback === null
        ? substrates
        : request.fallback.flatMap((name) => substrates.filter((one) => one.name === name))
    return inOrder.map((account) => ({
      ...withPage(
        {
          account,
          standing: substrateBar(account, this.desk.settings.timing, this.now) ?? { kind: 'unproven' },
          askAt: null,
        },
        request,
        this.now,
      ),
      excludedUntil: this.excludedUntil(account.name, request, since),
    }))
  }

  private excludedUntil(name: string, { exclude }: LeaseRequest, since: string): number | null {
    // For good would be a held state that nothing ends.
    const until = ms(since) + this.desk.settings.timing.leftOutFor
    return exclude.includes(name) && this.now < until ? until : null
  }

  /** What came of an earlier request of this round that wanted the same, where there was no able account for it. */
  hopeless(waiting: Waiting): Obstacles | 'held' | null {
    return this.isPlain(waiting) ? (this.unserved.get(wantOf(waiting.request, this.desk)) ?? null) : null
  }

  noteHopeless(waiting: Waiting, outcome: Obstacles | 'held'): void {
    if (this.isPlain(waiting)) this.unserved.set(wantOf(waiting.request, this.desk), outcome)
  }

  /** Requests that any account would do for differ in nothing but what `wantOf` says. */
  private isPlain({ request, since }: Waiting): boolean {
    if (request.pinned || isVoluntary(request)) return false
    if (declaredUntil(this.desk, request.session, this.now) !== null) return false
    return request.exclude.length === 0 || this.now >= ms(since) + this.desk.settings.timing.leftOutFor
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
