/**
 * What a person is told, once for each cause. The board is plain data that the pool's workflow carries along, so that nothing
 * is told twice over a restart. `now` is an ISO 8601 instant in UTC and never goes back; durations are milliseconds.
 */
import { backoff } from '../backoff.js'
import { iso, ms } from '../instants.js'
import type {
  Announcement,
  Cause,
  CauseKey,
  Notice,
  NoticeBoard,
  NoticeSettings,
  PoolConditions,
  QueuedNotice,
} from './notice.js'
import { problemNotice, recoveryNotice } from './noticeTexts.js'

export const newBoard: NoticeBoard = { causes: [], announced: [], outbox: [] }

const maxAnnounced = 200

/** Takes note of what stands now; what it makes a person hear of is in the outbox of the answer. */
export function updateBoard(
  board: NoticeBoard,
  conditions: PoolConditions,
  settings: NoticeSettings,
  now: string,
): NoticeBoard {
  const causes = updateCauses(board.causes, keysOf(conditions), now)
  const pending = causes.filter(({ notifiedAt }) => notifiedAt === null)
  const isRipe = pending.some(({ since }) => ms(now) - ms(since) >= settings.settle)
  const notified = isRipe ? causes.map((cause) => markNotified(cause, causes, now)) : causes
  const begun = isRipe
    ? problemNotice(
        pending.map(({ key }) => key),
        conditions,
        now,
      )
    : null
  const over = notified.filter(
    ({ overSince }) => overSince !== null && ms(now) - ms(overSince) >= settings.settle,
  )
  const remaining = notified.filter((cause) => !over.includes(cause))
  const ended = isRecovery(over, remaining) ? recoveryNotice(conditions, remaining, now) : null
  // That the pool is still dry was said with it.
  const left = ended === null ? remaining : remaining.map((cause) => ({ ...cause, folded: true }))
  const notices = [begun, ended].flatMap((notice) => notice ?? [])
  return notices.reduce((next, notice) => enqueue(next, notice, settings), { ...board, causes: left })
}

function keysOf({ dry, waitlist, loggedOut }: PoolConditions): CauseKey[] {
  return [
    ...(dry === null ? [] : (['dry'] as const)),
    ...(waitlist.length === 0 ? [] : (['parked'] as const)),
    ...loggedOut.map((name) => `login ${name}` as const),
  ]
}

/** One that ended before it was told is forgotten; one that comes back before its end was told never ended. */
function updateCauses(known: readonly Cause[], keys: readonly CauseKey[], now: string): Cause[] {
  const kept = known.flatMap((cause): Cause[] => {
    if (keys.includes(cause.key)) return [{ ...cause, overSince: null }]
    return cause.notifiedAt === null ? [] : [{ ...cause, overSince: cause.overSince ?? now }]
  })
  const fresh = keys
    .filter((key) => !known.some((cause) => cause.key === key))
    .map((key): Cause => ({ key, since: now, notifiedAt: null, folded: false, overSince: null }))
  return [...kept, ...fresh]
}

/** Sessions that wait say that the pool is dry, too. */
const markNotified = (cause: Cause, causes: readonly Cause[], now: string): Cause =>
  cause.notifiedAt !== null
    ? cause
    : {
        ...cause,
        notifiedAt: now,
        folded: cause.key === 'dry' && causes.some(({ key }) => key === 'parked'),
      }

/** A login that comes back was a person's doing and is no news to them. */
const isRecovery = (over: readonly Cause[], remaining: readonly Cause[]): boolean =>
  over.some(
    ({ key, folded }) =>
      key === 'parked' || (key === 'dry' && !folded && remaining.every((cause) => cause.key !== 'parked')),
  )

/** Takes an announcement; one whose key was told before changes nothing. */
export function announce(
  board: NoticeBoard,
  { key, ...content }: Announcement,
  settings: NoticeSettings,
  now: string,
): NoticeBoard {
  if (board.announced.includes(key)) return board
  const next = { ...board, announced: [...board.announced, key].slice(-maxAnnounced) }
  return enqueue(next, { ...content, id: key, at: now }, settings)
}

const enqueue = (board: NoticeBoard, notice: Notice, { channels }: NoticeSettings): NoticeBoard =>
  channels.length === 0
    ? board
    : {
        ...board,
        outbox: [...board.outbox, { notice, pendingChannels: channels, tries: 0, dueAt: notice.at }],
      }

/** What is to be sent now. */
export const dueNotices = ({ outbox }: NoticeBoard, now: string): QueuedNotice[] =>
  outbox.filter(({ dueAt }) => ms(dueAt) <= ms(now))

/** `failed` are the channels that did not take it; they are tried again, later each time, until it is given up. */
export function recordDelivery(
  board: NoticeBoard,
  id: string,
  failed: readonly string[],
  settings: NoticeSettings,
  now: string,
): NoticeBoard {
  const outbox = board.outbox.flatMap((queued): QueuedNotice[] => {
    if (queued.notice.id !== id) return [queued]
    const isOld = ms(now) - ms(queued.notice.at) >= settings.giveUpAfter
    if (failed.length === 0 || isOld) return []
    const tries = queued.tries + 1
    const pause = backoff(tries, { base: settings.retryEvery, cap: settings.retryAtMost }, id)
    return [{ ...queued, pendingChannels: [...failed], tries, dueAt: iso(ms(now) + pause) }]
  })
  return { ...board, outbox }
}

/** When time alone brings something next, or null. */
export function nextReviewAt(board: NoticeBoard, settings: NoticeSettings): string | null {
  const waits = [
    ...board.causes
      .filter(({ notifiedAt }) => notifiedAt === null)
      .map(({ since }) => ms(since) + settings.settle),
    ...board.causes.flatMap(({ overSince }) => (overSince === null ? [] : [ms(overSince) + settings.settle])),
    ...board.outbox.map(({ dueAt }) => ms(dueAt)),
  ]
  return waits.length === 0 ? null : iso(Math.min(...waits))
}
