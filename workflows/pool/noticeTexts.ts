/** The texts of the pool's notices. They name accounts, sessions and hosts, never a prompt or a secret. */
import { counted } from '../../policy/formatCount.js'
import { formatList } from '../../policy/formatList.js'
import { formatClock } from '../../policy/instants.js'
import type { SessionNeed } from '../../policy/notices/hostReport.js'
import type {
  Cause,
  CauseKey,
  Notice,
  NoticeKind,
  NoticeTexts,
  PoolConditions,
} from '../../policy/notices/notice.js'

export const noticeTexts: NoticeTexts = { problem, recovery }

/** What one kind of cause adds to a notice. The first part gives it its kind and its title. */
interface Part {
  kind: NoticeKind
  title: string
  lines: string[]
}

function problem(keys: readonly CauseKey[], conditions: PoolConditions, now: string): Notice {
  const parts = [silentHosts, waiting, dryAhead, needs, logins].flatMap(
    (partOf) => partOf(keys, conditions, now) ?? [],
  )
  const { kind = 'pool-dry', title = `pool ${conditions.pool} needs you` } = parts[0] ?? {}
  return notice(
    ...([kind, title, now] as const),
    parts.flatMap(({ lines }) => lines),
  )
}

type PartOf = (keys: readonly CauseKey[], conditions: PoolConditions, now: string) => Part | null

function silentHosts(keys: Parameters<PartOf>[0], { silentHosts: all }: PoolConditions): Part | null {
  const hosts = all.filter(({ host }) => keys.includes(`host ${host}`))
  const [first] = hosts
  if (first === undefined) return null
  return {
    kind: 'host-silent',
    title: hosts.length === 1 ? `host ${first.host} is silent` : `${hosts.length} hosts are silent`,
    lines: hosts.map(
      ({ host, since, sessions }) =>
        `The worker of ${host} was last heard of at ${utc(since)}; ${watchedNot(sessions)}. Start it with \`outpool up\` on that host.`,
    ),
  }
}

function waiting(keys: Parameters<PartOf>[0], { pool, dry, waitlist }: PoolConditions): Part | null {
  if (keys.includes('parked')) {
    const [first] = waitlist
    return {
      kind: 'parked',
      title: `${counted(waitlist.length, 'session')} of pool ${pool} waiting`,
      lines: [
        `${first?.why ?? ''}.`,
        `Next chance: ${nextChance(waitlist)}. Sessions take it by themselves.`,
        `Waiting: ${formatList(waitlist.map(({ session }) => session))}.`,
      ],
    }
  }
  if (!keys.includes('dry')) return null
  return {
    kind: 'pool-dry',
    title: `pool ${pool} is dry`,
    lines: [`${dry ?? ''}.`, 'Sessions that a substrate can take go on there, and fail back by themselves.'],
  }
}

function dryAhead(keys: Parameters<PartOf>[0], { pool, drySpell }: PoolConditions, now: string): Part | null {
  if (drySpell === null || !keys.includes('dry-ahead')) return null
  const at = (instant: string): string => `${formatClock(Date.parse(instant), Date.parse(now))} UTC`
  const { dryAt, resetAt } = drySpell
  const reset = resetAt === null ? '' : `; next reset ${at(resetAt)}`
  return {
    kind: 'dry-ahead',
    title: `pool ${pool} runs dry soon`,
    lines: [`The pool runs dry at about ${at(dryAt)}${reset}. \`outpool forecast\` says what would help.`],
  }
}

const needTexts: Record<SessionNeed['need'], (session: string) => string> = {
  question: (session) => `${session} asks a question: outpool show ${session}, then outpool answer`,
  permission: (session) => `${session} asks for a permission: outpool show ${session}, then outpool answer`,
  context: (session) => `the context of ${session} is full: outpool attach ${session}`,
  settings: (session) => `the agent of ${session} refuses its settings: outpool show ${session}`,
  login: (session) => `${session} waits for a login: outpool doctor`,
  page: (session) => `a page of the agent program keeps ${session} from starting: outpool show ${session}`,
  breaker: (session) => `the breaker has parked ${session}: outpool show ${session}, then outpool resume`,
  down: (session) => `the agent of ${session} has ended, and does not run again yet: outpool show ${session}`,
}

/** Sessions beyond these are only counted. */
const needsShown = 10

function needs(keys: Parameters<PartOf>[0], { needs: all }: PoolConditions): Part | null {
  const open = all.filter(({ session, since }) => keys.includes(`need ${session} ${since}`))
  const [first] = open
  if (first === undefined) return null
  const more = open.length - needsShown
  return {
    kind: 'needs-person',
    title: open.length === 1 ? `${first.session} needs you` : `${open.length} sessions need you`,
    lines: [
      ...open.slice(0, needsShown).map(({ session, need }) => needTexts[need](session)),
      ...(more > 0 ? [`and ${more} more: outpool ls`] : []),
    ],
  }
}

function logins(keys: Parameters<PartOf>[0], { pool, loggedOut }: PoolConditions): Part | null {
  if (loggedOut.length === 0 || !keys.some((key) => key.startsWith('login '))) return null
  const what =
    loggedOut.length === 1 ? 'an account is logged out' : `${loggedOut.length} accounts are logged out`
  return {
    kind: 'logged-out',
    title: `${what} in pool ${pool}`,
    lines: [`Log in again: ${formatList(loggedOut)}. \`outpool doctor\` says how.`],
  }
}

function recovery(
  over: readonly Cause[],
  { pool, waitlist }: PoolConditions,
  remaining: readonly Cause[],
  now: string,
): Notice {
  const hosts = over.flatMap(({ key }) => (key.startsWith('host ') ? [key.slice('host '.length)] : []))
  const heard = hosts.map((host) => `The worker of ${host} is heard of again.`)
  if (!over.some(({ key }) => key === 'parked' || key === 'dry'))
    return notice('up-again', `${formatList(hosts)} watched again`, now, heard)
  const stillDry = remaining.some(({ key, overSince }) => key === 'dry' && overSince === null)
  const isEmpty = waitlist.length === 0
  return notice('up-again', `all up again in pool ${pool}`, now, [
    ...heard,
    ...(isEmpty ? ['No session waits any more.'] : []),
    ...(stillDry ? ['The pool itself is still dry.'] : []),
  ])
}

const notice = (kind: NoticeKind, title: string, at: string, lines: readonly string[]): Notice => ({
  ...{ id: `${kind}/${at}`, kind, title, text: lines.join('\n'), at },
})

const watchedNot = (sessions: number): string =>
  sessions === 1 ? '1 session there is not watched' : `${sessions} sessions there are not watched`

const utc = (instant: string): string => `${instant.slice(0, 16).replace('T', ' ')} UTC`

function nextChance(waitlist: PoolConditions['waitlist']): string {
  const [soonest] = waitlist.flatMap(({ retryAt }) => retryAt ?? []).sort()
  return soonest === undefined ? 'not known' : utc(soonest)
}
