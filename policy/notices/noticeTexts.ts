/** The words of notices. They name accounts and sessions, never a prompt or a secret. */
import { listed } from '../formatList.js'
import type { Cause, CauseKey, Notice, NoticeKind, PoolNews } from './notices.js'

export function beginning(keys: readonly CauseKey[], news: PoolNews, now: string): Notice {
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

export function upAgain({ pool }: PoolNews, left: readonly Cause[], now: string): Notice {
  const stillDry = left.some(({ key, overSince }) => key === 'dry' && overSince === null)
  return notice('up-again', `all up again in pool ${pool}`, now, [
    stillDry ? 'No session waits any more. The pool itself is still dry.' : 'No session waits any more.',
  ])
}

const notice = (kind: NoticeKind, title: string, at: string, lines: readonly string[]): Notice => ({
  ...{ id: `${kind}/${at}`, kind, title, text: lines.join('\n'), at },
})

const count = (sessions: number): string => (sessions === 1 ? '1 session' : `${sessions} sessions`)

function chance(waiting: PoolNews['waiting']): string {
  const [soonest] = waiting.flatMap(({ retryAt }) => retryAt ?? []).sort()
  return soonest === undefined ? 'not known' : `${soonest.slice(0, 16).replace('T', ' ')} UTC`
}
