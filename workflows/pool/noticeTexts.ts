/** The texts of the pool's notices. They name accounts and sessions, never a prompt or a secret. */
import { formatList } from '../../policy/formatList.js'
import type {
  Cause,
  CauseKey,
  Notice,
  NoticeKind,
  NoticeTexts,
  PoolConditions,
} from '../../policy/notices/notice.js'

export const noticeTexts: NoticeTexts = { problem, recovery }

function problem(keys: readonly CauseKey[], conditions: PoolConditions, now: string): Notice {
  const { pool, dry, waitlist, loggedOut } = conditions
  const lost = keys.some((key) => key.startsWith('login ')) ? logins(loggedOut) : []
  if (keys.includes('parked')) {
    const [first] = waitlist
    return notice('parked', `${count(waitlist.length)} of pool ${pool} waiting`, now, [
      `${first?.why ?? ''}.`,
      `Next chance: ${nextChance(waitlist)}. Sessions take it by themselves.`,
      `Waiting: ${formatList(waitlist.map(({ session }) => session))}.`,
      ...lost,
    ])
  }
  if (keys.includes('dry'))
    return notice('pool-dry', `pool ${pool} is dry`, now, [
      `${dry ?? ''}.`,
      'Sessions that a substrate can take go on there, and fail back by themselves.',
      ...lost,
    ])
  const title =
    loggedOut.length === 1 ? 'an account is logged out' : `${loggedOut.length} accounts are logged out`
  return notice('logged-out', `${title} in pool ${pool}`, now, lost)
}

const logins = (names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`Log in again: ${formatList(names)}. \`outpool doctor\` says how.`]

function recovery({ pool }: PoolConditions, remaining: readonly Cause[], now: string): Notice {
  const stillDry = remaining.some(({ key, overSince }) => key === 'dry' && overSince === null)
  return notice('up-again', `all up again in pool ${pool}`, now, [
    stillDry ? 'No session waits any more. The pool itself is still dry.' : 'No session waits any more.',
  ])
}

const notice = (kind: NoticeKind, title: string, at: string, lines: readonly string[]): Notice => ({
  ...{ id: `${kind}/${at}`, kind, title, text: lines.join('\n'), at },
})

const count = (sessions: number): string => (sessions === 1 ? '1 session' : `${sessions} sessions`)

function nextChance(waiting: PoolConditions['waitlist']): string {
  const [soonest] = waiting.flatMap(({ retryAt }) => retryAt ?? []).sort()
  return soonest === undefined ? 'not known' : `${soonest.slice(0, 16).replace('T', ' ')} UTC`
}
