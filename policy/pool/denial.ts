/** The denial for a session that gets no account now: why, in a line for a person, and when its next chance comes. */
import type { Timing } from '../account/account.js'
import type { WaitlistEntry } from './poolState.js'
import { earlier, iso, toMs } from '../instants.js'
import { isVoluntaryMove, type LeaseDenial } from './lease.js'
import type { Candidate } from './candidate.js'

/** One account that this request can't get now. */
interface Blocker {
  why: () => string
  /** Changes only if the session should get another denial. */
  key: string
  loggedOut: boolean
  /** Only a page that a person has to answer is in the way. */
  isPage: boolean
  /** When it should end; null if time alone does not end it. */
  until: number | null
  excludedUntil: number | null
}

/** All that is in the way of a request. */
export interface Blockers {
  blockers: Blocker[]
  /** Changes only if a session that was notified has to be notified again. */
  key: string
  /** The next chance that time alone brings, or null. */
  nextChanceAt: number | null
  /** Set if only pages are in the way: which ones, and what a person does about them. */
  pages: string | null
}

export function blockersOf(candidates: readonly Candidate[]): Blockers {
  const blockers = mergedByKey(candidates.map(blockerOf))
  return {
    blockers,
    pages: pagesText(blockers, isBlockedByPagesOnly(candidates)),
    key: blockers.map((one) => one.key).join(' '),
    nextChanceAt: blockers.reduce<number | null>((soonest, { until }) => earlier(soonest, until), null),
  }
}

/** One account may block several models: its earliest end is the next chance. */
function mergedByKey(all: readonly Blocker[]): Blocker[] {
  const once = new Map<string, Blocker>()
  for (const one of all) {
    const known = once.get(one.key)
    if (known === undefined) once.set(one.key, one)
    else once.set(one.key, { ...known, until: earlier(known.until, one.until) })
  }
  return [...once.values()]
}

function blockerOf({ account: { name }, eligibility, probeDueAt, excludedUntil }: Candidate): Blocker {
  const blocker = (what: string, why: () => string, until: number | null): Blocker => {
    const blockedUntil = until === null || excludedUntil === null ? until : Math.max(until, excludedUntil)
    const loggedOut = what === 'logged-out'
    const isPage = what === 'page'
    return {
      why: () => `${name} ${why()}`,
      key: `${name}:${what}`,
      loggedOut,
      isPage,
      until: blockedUntil,
      excludedUntil,
    }
  }
  if (eligibility.kind === 'ineligible') return blocker(eligibility.cause, eligibility.why, eligibility.until)
  if (excludedUntil !== null) return blocker('failed', () => 'failed just now', excludedUntil)
  // A wall that is being probed needs no new denial: if it has ended, the session is granted the account.
  if (eligibility.kind === 'unknown') return blocker('walled', () => 'has to be probed first', probeDueAt)
  return blocker('no-better', () => 'is no better', null)
}

/** Whether only pages keep this request from every account: no other budget would help. */
export function isBlockedByPagesOnly(candidates: readonly Candidate[]): boolean {
  const causes = candidates.map(({ eligibility }) =>
    eligibility.kind === 'ineligible' ? eligibility.cause : null,
  )
  const isIrrelevant = (cause: (typeof causes)[number]): boolean =>
    cause === 'disabled' || cause === 'duplicate'
  return causes.includes('page') && causes.every((cause) => cause === 'page' || isIrrelevant(cause))
}

/** A line has no room for more. */
const maxPagesText = 600

function pagesText(blockers: readonly Blocker[], isPagesOnly: boolean): string | null {
  if (!isPagesOnly) return null
  const pages = blockers.filter(({ isPage }) => isPage)
  return pages
    .map((one) => one.why())
    .join('; ')
    .slice(0, maxPagesText)
}

/** The longest time until the next denial, however long the blockers last. */
const renotifyEvery = 3_600_000

/** A chance that comes this much sooner than announced is worth another denial. */
const soonerThreshold = 60_000

/** The denial, or null if the session was already notified. `key` is to be kept with the denial. */
export function denialFor(
  entry: WaitlistEntry,
  { blockers, key, nextChanceAt, pages }: Blockers,
  timing: Timing,
  now: number,
): { key: string; denial: LeaseDenial } | null {
  const { request, notified } = entry
  // A later chance needs no new denial before the announced one: walls without a stated end are put off at every pass.
  if (
    notified?.key === key &&
    toMs(notified.retryAt) > now &&
    (nextChanceAt ?? Infinity) > toMs(notified.retryAt) - soonerThreshold
  )
    return null
  const why = blockers.map((one) => one.why()).join(', ') || noAccount(entry)
  const denial = {
    requestId: request.requestId,
    why: isVoluntaryMove(request.cause) ? `stay: ${why}` : why,
    retryAt: iso(Math.max(retryAt(entry, nextChanceAt, timing, now), now + 1_000)),
    needsLogin: nextChanceAt === null && blockers.some(({ loggedOut }) => loggedOut),
    pages,
  }
  return { key, denial }
}

function retryAt(entry: WaitlistEntry, known: number | null, timing: Timing, now: number): number {
  if (!isVoluntaryMove(entry.request.cause)) return known ?? now + untilNextDenial(entry, timing, now)
  // The session is well placed: it need not ask at every end of a turn.
  return Math.min(Math.max(known ?? 0, now + timing.probeEvery), now + renotifyEvery)
}

/**
 * The time until the next denial if only an event can help (a login, a session that leaves). The pool decides more often than it
 * sends denials: one for each session and pass would make histories grow with time.
 */
function untilNextDenial({ since }: WaitlistEntry, timing: Timing, now: number): number {
  const waited = now - toMs(since)
  return Math.min(renotifyEvery, Math.max(timing.retryEvery, timing.probeEvery, waited / 4))
}

const noAccount = ({ request }: WaitlistEntry): string =>
  request.pinned && request.prefer !== null
    ? `the pool has no account ${request.prefer}`
    : 'the pool has no other account'
