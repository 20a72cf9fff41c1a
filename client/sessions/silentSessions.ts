/** Which sessions are not watched now, because the worker of their host is not heard of. */
import type { HeardAt, ListedSession } from '../../config/fleet/session.js'
import type { Home } from '../../config/state/home.js'
import { isAlive } from '../../config/state/isAlive.js'
import { type LiveFile, readLive } from '../../config/state/liveFile.js'
import { silenceOf } from '../../policy/session/silence.js'
import type { SessionCard } from './sessionRows.js'
import { formatLocalClock } from '../output/times.js'

/** When the worker of a host was last heard of, by this host's clock: ms since the epoch, or null. */
export type HeardHosts = (host: string) => number | null

/** The worker of this host writes `live.json`; of the others the engine knows. */
export function heardHosts(home: Home, live: LiveFile | null, others: HeardAt): HeardHosts {
  const local = live === null ? null : Date.parse(live.at)
  return (host) => (host === home.hostId ? local : (others[host] ?? null))
}

/** The hosts of those that are not stopped. */
export const hostsOf = (listed: readonly ListedSession[]): string[] => [
  ...new Set(listed.filter(({ running }) => running).map(({ card }) => card.host)),
]

/** The card with `silentSince` if its host is silent, and with the attention for it if that lasts. */
export function markSilent(card: SessionCard, heard: HeardHosts, home: Home, now: Date): SessionCard {
  const silence = silenceOf(card, heard(card.host), now.getTime())
  if (silence === null) return card
  const { since, needsPerson } = silence
  // A dialog that waits for an answer can't be answered before its host is back.
  const attention = needsPerson ? attentionFor(card, since, home, now) : card.attention
  return { ...card, attention, silentSince: since }
}

function attentionFor({ host }: SessionCard, since: string | null, home: Home, now: Date): string {
  const heard = since === null ? 'was never heard of' : `was last heard of at ${formatLocalClock(since, now)}`
  if (host !== home.hostId)
    return `the worker of its host ${host} ${heard}: start it there with \`outpool up\``
  const live = readLive(home)
  // A worker that runs and writes nothing waits for something of its host, such as tmux.
  const remedy =
    live !== null && isAlive(live.pid) ? 'find out why with `outpool doctor`' : 'start it with `outpool up`'
  return `the worker of this host ${heard}: ${remedy}`
}
