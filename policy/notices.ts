/**
 * What a person is told, once for each cause. The board is plain data that the pool's workflow carries along, so that nothing
 * is told twice over a restart. `now` is an ISO 8601 instant in UTC and never goes back; durations are milliseconds.
 */
import { backoff } from './backoff.js'
import { iso, ms } from './instants.js'

export type NoticeKind = 'pool-dry' | 'parked' | 'logged-out' | 'up-again' | 'drill' | 'incident'

export interface Notice {
  id: string
  kind: NoticeKind
  /** One short line. */
  title: string
  /** A few lines. Names accounts and sessions; never a prompt or a secret. */
  text: string
  at: string
}

/** As configured. Addresses and commands stay on the host; channels travel by name. */
export interface NoticeSettings {
  channels: string[]
  /** What stands shorter than this is no news, and what begins within it is told together. */
  settle: number
  retryEvery: number
  /** A notice that could not be delivered for this long is given up. */
  giveUpAfter: number
}

/** What stands with the pool right now that a person may have to hear of. */
export interface PoolNews {
  pool: string
  /** Why no account can take anybody, in a line; null while one can. */
  dry: string | null
  /** Sessions that wait for a place, and until when; null where that is not known. */
  waiting: { session: string; why: string; retryAt: string | null }[]
  loggedOut: string[]
}

/** A notice that others than the pool bring: it is told once for each `key`, such as `drill/<time>`. */
export interface Announcement {
  key: string
  kind: NoticeKind
  title: string
  text: string
}

type CauseKey = 'dry' | 'parked' | `login ${string}`

interface Cause {
  key: CauseKey
  since: string
  /** When it was told; null while it may still pass by itself. */
  toldAt: string | null
  /** Told as a part of another cause, so that its end is no news of its own. */
  folded: boolean
  /** Since when it is over, once it was told. */
  overSince: string | null
}

interface Outgoing {
  notice: Notice
  /** Channels that have not taken it. */
  left: string[]
  tries: number
  dueAt: string
}

export interface NoticeBoard {
  causes: Cause[]
  /** Keys of announcements that were told, newest last. */
  announced: string[]
  outbox: Outgoing[]
}

export const newBoard: NoticeBoard = { causes: [], announced: [], outbox: [] }

const announcedKept = 200
const longestPause = 30 * 60_000

/** Takes note of what stands now; what it makes a person hear of is in the outbox of the answer. */
export function review(
  board: NoticeBoard,
  news: PoolNews,
  settings: NoticeSettings,
  now: string,
): NoticeBoard {
  const causes = standing(board.causes, keysOf(news), now)
  const untold = causes.filter(({ toldAt }) => toldAt === null)
  const isRipe = untold.some(({ since }) => ms(now) - ms(since) >= settings.settle)
  const told = isRipe ? causes.map((cause) => tell(cause, causes, now)) : causes
  const begun = isRipe
    ? beginning(
        untold.map(({ key }) => key),
        news,
        now,
      )
    : null
  const over = told.filter(
    ({ overSince }) => overSince !== null && ms(now) - ms(overSince) >= settings.settle,
  )
  const still = told.filter((cause) => !over.includes(cause))
  const ended = isEnd(over, still) ? upAgain(news, still, now) : null
  // That the pool is still dry was said with it.
  const left = ended === null ? still : still.map((cause) => ({ ...cause, folded: true }))
  const notices = [begun, ended].flatMap((notice) => notice ?? [])
  return notices.reduce((next, notice) => put(next, notice, settings), { ...board, causes: left })
}

function keysOf({ dry, waiting, loggedOut }: PoolNews): CauseKey[] {
  return [
    ...(dry === null ? [] : (['dry'] as const)),
    ...(waiting.length === 0 ? [] : (['parked'] as const)),
    ...loggedOut.map((name) => `login ${name}` as const),
  ]
}

/** One that ended before it was told is forgotten; one that comes back before its end was told never ended. */
function standing(known: readonly Cause[], keys: readonly CauseKey[], now: string): Cause[] {
  const kept = known.flatMap((cause): Cause[] => {
    if (keys.includes(cause.key)) return [{ ...cause, overSince: null }]
    return cause.toldAt === null ? [] : [{ ...cause, overSince: cause.overSince ?? now }]
  })
  const fresh = keys
    .filter((key) => !known.some((cause) => cause.key === key))
    .map((key): Cause => ({ key, since: now, toldAt: null, folded: false, overSince: null }))
  return [...kept, ...fresh]
}

/** Sessions that wait say that the pool is dry, too. */
const tell = (cause: Cause, causes: readonly Cause[], now: string): Cause =>
  cause.toldAt !== null
    ? cause
    : {
        ...cause,
        toldAt: now,
        folded: cause.key === 'dry' && causes.some(({ key }) => key === 'parked'),
      }

/** A login that comes back was a person's doing and is no news to them. */
const isEnd = (over: readonly Cause[], left: readonly Cause[]): boolean =>
  over.some(
    ({ key, folded }) =>
      key === 'parked' || (key === 'dry' && !folded && left.every((cause) => cause.key !== 'parked')),
  )

function beginning(keys: readonly CauseKey[], news: PoolNews, now: string): Notice {
  const { pool, dry, waiting, loggedOut } = news
  const lost = keys.some((key) => key.startsWith('login ')) ? logins(loggedOut) : []
  if (keys.includes('parked')) {
    const [first] = waiting
    return notice('parked', `${count(waiting.length)} of pool ${pool} waiting`, now, [
      `${first?.why ?? ''}.`,
      `Next chance: ${chance(waiting)}. It is taken without anybody's help.`,
      `Waiting: ${listed(waiting.map(({ session }) => session))}.`,
      ...lost,
    ])
  }
  if (keys.includes('dry'))
    return notice('pool-dry', `pool ${pool} is dry`, now, [
      `${dry ?? ''}.`,
      'Sessions go on where a substrate can take them, and come home by themselves.',
      ...lost,
    ])
  const title =
    loggedOut.length === 1 ? 'an account is logged out' : `${loggedOut.length} accounts are logged out`
  return notice('logged-out', `${title} in pool ${pool}`, now, lost)
}

const logins = (names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`Log in again: ${listed(names)}. \`outpool doctor\` says how.`]

function upAgain({ pool }: PoolNews, left: readonly Cause[], now: string): Notice {
  const stillDry = left.some(({ key, overSince }) => key === 'dry' && overSince === null)
  return notice('up-again', `all up again in pool ${pool}`, now, [
    stillDry ? 'No session waits any more. The pool itself is still dry.' : 'No session waits any more.',
  ])
}

const notice = (kind: NoticeKind, title: string, at: string, lines: readonly string[]): Notice => ({
  ...{ id: `${kind}/${at}`, kind, title, text: lines.join('\n'), at },
})

const count = (sessions: number): string => (sessions === 1 ? '1 session' : `${sessions} sessions`)

const listedAtMost = 10

function listed(names: readonly string[]): string {
  const more = names.length - listedAtMost
  const shown = names.slice(0, listedAtMost).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}

function chance(waiting: PoolNews['waiting']): string {
  const [soonest] = waiting.flatMap(({ retryAt }) => retryAt ?? []).sort()
  return soonest === undefined ? 'not known' : `${soonest.slice(0, 16).replace('T', ' ')} UTC`
}

/** Takes an announcement; one whose key was told before changes nothing. */
export function announce(
  board: NoticeBoard,
  { key, ...told }: Announcement,
  settings: NoticeSettings,
  now: string,
): NoticeBoard {
  if (board.announced.includes(key)) return board
  const next = { ...board, announced: [...board.announced, key].slice(-announcedKept) }
  return put(next, { ...told, id: key, at: now }, settings)
}

const put = (board: NoticeBoard, notice: Notice, { channels }: NoticeSettings): NoticeBoard =>
  channels.length === 0
    ? board
    : { ...board, outbox: [...board.outbox, { notice, left: channels, tries: 0, dueAt: notice.at }] }

/** What is to be sent now. */
export const due = ({ outbox }: NoticeBoard, now: string): Outgoing[] =>
  outbox.filter(({ dueAt }) => ms(dueAt) <= ms(now))

/** `failed` are the channels that did not take it; they are tried again, later each time, until it is given up. */
export function sent(
  board: NoticeBoard,
  id: string,
  failed: readonly string[],
  settings: NoticeSettings,
  now: string,
): NoticeBoard {
  const outbox = board.outbox.flatMap((out): Outgoing[] => {
    if (out.notice.id !== id) return [out]
    const isOld = ms(now) - ms(out.notice.at) >= settings.giveUpAfter
    if (failed.length === 0 || isOld) return []
    const tries = out.tries + 1
    const pause = backoff(tries, { base: settings.retryEvery, cap: longestPause }, id)
    return [{ ...out, left: [...failed], tries, dueAt: iso(ms(now) + pause) }]
  })
  return { ...board, outbox }
}

/** When time alone brings something next, or null. */
export function nextLook(board: NoticeBoard, settings: NoticeSettings): string | null {
  const waits = [
    ...board.causes.filter(({ toldAt }) => toldAt === null).map(({ since }) => ms(since) + settings.settle),
    ...board.causes.flatMap(({ overSince }) => (overSince === null ? [] : [ms(overSince) + settings.settle])),
    ...board.outbox.map(({ dueAt }) => ms(dueAt)),
  ]
  return waits.length === 0 ? null : iso(Math.min(...waits))
}
