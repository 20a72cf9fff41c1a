/** What a session is told that gets no account now: why, in a line for a person, and when its next chance comes. */
import type { Timing } from '../account/account.js'
import { isVoluntary, type Waiting } from './poolState.js'
import { earlier, iso, ms } from '../instants.js'
import type { LeaseRefusal } from './lease.js'
import type { Prospect } from './candidates.js'

/** One account that this request can't have now. */
export interface Obstacle {
  why: () => string
  /** The same as long as nothing has changed that a session should hear of. */
  key: string
  loggedOut: boolean
  /** A page that a person has to answer is all that is in the way. */
  isPage: boolean
  /** When it ought to be out of the way; null where that is not a matter of time alone. */
  until: number | null
  excludedUntil: number | null
}

/** All that is in the way of a request. */
export interface Obstacles {
  obstacles: Obstacle[]
  /** The same as long as a session that was told need not be told again. */
  key: string
  /** The next chance that time alone brings, or null. */
  known: number | null
  /** Only pages are in the way: what they say and ask for, or null. */
  pages: string | null
}

export function obstaclesOf(prospects: readonly Prospect[]): Obstacles {
  const obstacles = eachOnce(prospects.map(obstacle))
  return {
    obstacles,
    pages: pagesIn(obstacles, isHeldByPagesAlone(prospects)),
    key: obstacles.map((one) => one.key).join(' '),
    known: obstacles.reduce<number | null>((soonest, { until }) => earlier(soonest, until), null),
  }
}

/** One account may stand in the way of several models; its earliest end is the next chance. */
function eachOnce(all: readonly Obstacle[]): Obstacle[] {
  const once = new Map<string, Obstacle>()
  for (const one of all) {
    const known = once.get(one.key)
    if (known === undefined) once.set(one.key, one)
    else once.set(one.key, { ...known, until: earlier(known.until, one.until) })
  }
  return [...once.values()]
}

function obstacle({ account: { name }, standing, askAt, excludedUntil }: Prospect): Obstacle {
  const is = (what: string, why: () => string, until: number | null): Obstacle => {
    const lasts = until === null || excludedUntil === null ? until : Math.max(until, excludedUntil)
    const loggedOut = what === 'logged-out'
    const isPage = what === 'page'
    return {
      why: () => `${name} ${why()}`,
      key: `${name}:${what}`,
      loggedOut,
      isPage,
      until: lasts,
      excludedUntil,
    }
  }
  if (standing.kind === 'unable') return is(standing.cause, standing.why, standing.until)
  if (excludedUntil !== null) return is('failed', () => 'failed just now', excludedUntil)
  // A wall that is being looked at again is no news: if it has gone, the session is granted the account instead.
  if (standing.kind === 'unknown') return is('walled', () => 'has to be asked first', askAt)
  return is('no-better', () => 'is no better', null)
}

/** Whether pages, and nothing that another budget could help against, keep this request from every account. */
export function isHeldByPagesAlone(prospects: readonly Prospect[]): boolean {
  const causes = prospects.map(({ standing }) => (standing.kind === 'unable' ? standing.cause : null))
  const isNoMatter = (cause: (typeof causes)[number]): boolean =>
    cause === 'disabled' || cause === 'duplicate'
  return causes.includes('page') && causes.every((cause) => cause === 'page' || isNoMatter(cause))
}

/** More than this no line has room for. */
const pagesTextMax = 600

function pagesIn(obstacles: readonly Obstacle[], isPagesAlone: boolean): string | null {
  if (!isPagesAlone) return null
  const pages = obstacles.filter(({ isPage }) => isPage)
  return pages
    .map((one) => one.why())
    .join('; ')
    .slice(0, pagesTextMax)
}

/** However long something lasts, a session hears again after this. */
const toldAtLeastEvery = 3_600_000

/** A chance that comes sooner than the session was told is news from this difference on. */
const soonerByMuch = 60_000

/** The refusal, or null where the session was already told. `key` is to be kept with what it was told. */
export function refusalOf(
  waiting: Waiting,
  { obstacles, key, known, pages }: Obstacles,
  timing: Timing,
  now: number,
): { key: string; refusal: LeaseRefusal } | null {
  const { request, told } = waiting
  // Later than told is no news before that time has come: walls without a stated end are put off at every look.
  if (told?.key === key && ms(told.retryAt) > now && (known ?? Infinity) > ms(told.retryAt) - soonerByMuch)
    return null
  const why = obstacles.map((one) => one.why()).join(', ') || nobody(waiting)
  const refusal = {
    requestId: request.requestId,
    why: isVoluntary(request) ? `stay: ${why}` : why,
    retryAt: iso(Math.max(retryAt(waiting, known, timing, now), now + 1_000)),
    needsLogin: known === null && obstacles.some(({ loggedOut }) => loggedOut),
    pages,
  }
  return { key, refusal }
}

function retryAt(waiting: Waiting, known: number | null, timing: Timing, now: number): number {
  if (!isVoluntary(waiting.request)) return known ?? now + patience(waiting, timing, now)
  // It sits well enough: asking at every turn's end would be a nuisance.
  return Math.min(Math.max(known ?? 0, now + timing.probeEvery), now + toldAtLeastEvery)
}

/**
 * Until the next word where only an event can help (a login, a session that leaves). The pool looks more often than it
 * says so: a word to each session at each look would make history grow with time.
 */
function patience({ since }: Waiting, timing: Timing, now: number): number {
  const waited = now - ms(since)
  return Math.min(toldAtLeastEvery, Math.max(timing.retryEvery, timing.probeEvery, waited / 4))
}

const nobody = ({ request }: Waiting): string =>
  request.pinned && request.prefer !== null
    ? `the pool has no account ${request.prefer}`
    : 'the pool has no other account'
