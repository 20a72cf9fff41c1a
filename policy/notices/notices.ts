/**
 * Which notices a person gets: one for each cause. The board is plain data that the pool's workflow carries over, so that no
 * notice is repeated after a restart. `now` is an ISO 8601 instant in UTC and never goes back; durations are milliseconds.
 */
import { backoff } from '../backoff.js'
import { iso, toMs } from '../instants.js'
import type {
  Announcement,
  Cause,
  CauseKey,
  Notice,
  NoticeBoard,
  NoticeSettings,
  NoticeTexts,
  PoolConditions,
  QueuedNotice,
} from './notice.js'

export const newBoard: NoticeBoard = { causes: [], announced: [], outbox: [] }

const maxAnnounced = 200

/** Records the conditions. The notices that follow from them are in the outbox of the returned board. */
export function updateBoard(
  board: NoticeBoard,
  conditions: PoolConditions,
  settings: NoticeSettings,
  now: string,
  texts: NoticeTexts,
): NoticeBoard {
  const causes = updateCauses(board.causes, keysOf(conditions, board, now), now)
  const pending = causes.filter(({ notifiedAt }) => notifiedAt === null)
  const isRipe = pending.some(({ since }) => toMs(now) - toMs(since) >= settings.settleFor)
  const notified = isRipe ? causes.map((cause) => markNotified(cause, causes, now)) : causes
  const begun = isRipe
    ? texts.problem(
        pending.map(({ key }) => key),
        conditions,
        now,
      )
    : null
  const over = notified.filter(
    ({ overSince }) => overSince !== null && toMs(now) - toMs(overSince) >= settings.settleFor,
  )
  const remaining = notified.filter((cause) => !over.includes(cause))
  const isPoolBack = isPoolRecovery(over, remaining)
  const ended = isPoolBack || over.some(isHost) ? texts.recovery(over, conditions, remaining, now) : null
  // The notice has said already that the pool is still dry.
  const left = isPoolBack ? remaining.map((cause) => ({ ...cause, folded: true })) : remaining
  const notices = [begun, ended].flatMap((notice) => notice ?? [])
  const next = { ...board, ...foretold(notified, conditions, board), causes: left }
  return notices.reduce((filled, notice) => enqueue(filled, notice, settings), next)
}

function keysOf(
  { dry, waitlist, loggedOut, needs, silentHosts, drySpell }: PoolConditions,
  { causes, foretoldUntil }: NoticeBoard,
  now: string,
): CauseKey[] {
  const isForetold = foretoldUntil !== undefined && toMs(now) < toMs(foretoldUntil)
  const isKnown = causes.some(({ key }) => key === 'dry-ahead')
  return [
    ...(dry === null ? [] : (['dry'] as const)),
    ...(waitlist.length === 0 ? [] : (['parked'] as const)),
    ...(drySpell === null || (isForetold && !isKnown) ? [] : (['dry-ahead'] as const)),
    ...silentHosts.map(({ host }) => `host ${host}` as const),
    ...needs.map(({ session, since }) => `need ${session} ${since}` as const),
    ...loggedOut.map((name) => `login ${name}` as const),
  ]
}

/** A forecast moves while it comes true, and must not notify a person of the same spell again. Milliseconds. */
const spellLeast = 60 * 60_000

/** Set with the notice of a dry spell to come. */
function foretold(
  causes: readonly Cause[],
  { drySpell }: PoolConditions,
  { causes: before }: NoticeBoard,
): Pick<NoticeBoard, 'foretoldUntil'> {
  const isAhead = ({ key, notifiedAt }: Cause): boolean => key === 'dry-ahead' && notifiedAt !== null
  if (drySpell === null || !causes.some(isAhead) || before.some(isAhead)) return {}
  const { dryAt, resetAt } = drySpell
  return { foretoldUntil: iso(Math.max(toMs(dryAt) + spellLeast, resetAt === null ? 0 : toMs(resetAt))) }
}

/** A cause that ended before its notice is forgotten. One that comes back before the notice of its end counts as never ended. */
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

/** The notice of waiting sessions covers a dry pool too. */
const markNotified = (cause: Cause, causes: readonly Cause[], now: string): Cause =>
  cause.notifiedAt !== null
    ? cause
    : {
        ...cause,
        notifiedAt: now,
        folded: cause.key === 'dry' && causes.some(({ key }) => key === 'parked'),
      }

const isHost = ({ key }: Cause): boolean => key.startsWith('host ')

/** The end of a lost login, or of what a session needed, gets no notice: a person has brought it about. */
const isPoolRecovery = (over: readonly Cause[], remaining: readonly Cause[]): boolean =>
  over.some(
    ({ key, folded }) =>
      key === 'parked' || (key === 'dry' && !folded && remaining.every((cause) => cause.key !== 'parked')),
  )

/** Queues an announcement, unless one with the same key was queued before. */
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

/** The notices that are to be sent now. */
export const dueNotices = ({ outbox }: NoticeBoard, now: string): QueuedNotice[] =>
  outbox.filter(({ dueAt }) => toMs(dueAt) <= toMs(now))

/** `failed` are the channels that did not take it. They are tried again after growing pauses, until the notice is given up. */
export function recordDelivery(
  board: NoticeBoard,
  id: string,
  failed: readonly string[],
  settings: NoticeSettings,
  now: string,
): NoticeBoard {
  const outbox = board.outbox.flatMap((queued): QueuedNotice[] => {
    if (queued.notice.id !== id) return [queued]
    const isOld = toMs(now) - toMs(queued.notice.at) >= settings.giveUpAfter
    if (failed.length === 0 || isOld) return []
    const tries = queued.tries + 1
    const pause = backoff(tries, { base: settings.retryEvery, cap: settings.retryMaxInterval }, id)
    return [{ ...queued, pendingChannels: [...failed], tries, dueAt: iso(toMs(now) + pause) }]
  })
  return { ...board, outbox }
}

/** When the board next changes by time alone, or null. */
export function nextReviewAt(board: NoticeBoard, settings: NoticeSettings): string | null {
  const waits = [
    ...board.causes
      .filter(({ notifiedAt }) => notifiedAt === null)
      .map(({ since }) => toMs(since) + settings.settleFor),
    ...board.causes.flatMap(({ overSince }) =>
      overSince === null ? [] : [toMs(overSince) + settings.settleFor],
    ),
    ...board.outbox.map(({ dueAt }) => toMs(dueAt)),
  ]
  return waits.length === 0 ? null : iso(Math.min(...waits))
}
