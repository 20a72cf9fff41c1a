/** Which sessions are not watched now, because the worker of their host is not heard of. */
import { engineAhead } from '../../config/engine/pollers.js'
import { lastSignsOfLife } from '../../config/engine/signsOfLife.js'
import type { Home } from '../../config/state/home.js'
import { isAlive } from '../../config/state/isAlive.js'
import { type LiveFile, readLive } from '../../config/state/liveFile.js'
import { silenceOf } from '../../policy/session/silence.js'
import { clock } from '../output/times.js'
import type { Engine } from './engine.js'
import type { ListedSession, SessionCard } from './sessionRows.js'

/** When the worker of a host was last heard of, by this host's clock: ms since the epoch, or null. */
export type HeardHosts = (host: string) => number | null

/** The hosts of those that are not stopped. */
export const hostsOf = (listed: readonly ListedSession[]): string[] => [
  ...new Set(listed.filter(({ running }) => running).map(({ card }) => card.host)),
]

/** Asks the engine only if a session is of another host: the worker of this one writes `live.json`. */
export async function readHeardHosts(
  engine: Engine,
  home: Home,
  live: LiveFile | null,
  hosts: readonly string[],
): Promise<HeardHosts> {
  const local = live === null ? null : Date.parse(live.at)
  const { connection } = engine.client
  if (hosts.every((host) => host === home.hostId)) return () => local
  const [heard, ahead] = await Promise.all([
    lastSignsOfLife(connection, engine.namespace),
    engineAhead(connection, engine.namespace),
  ])
  return (host) => {
    if (host === home.hostId) return local
    const at = heard.get(host)
    return at === undefined ? null : at - ahead
  }
}

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
  const heard = since === null ? 'was never heard of' : `was last heard of at ${clock(since, now)}`
  if (host !== home.hostId)
    return `the worker of its host ${host} ${heard}: start it there with \`outpool up\``
  const live = readLive(home)
  // A worker that runs and writes nothing waits for something of its host, such as tmux.
  const remedy =
    live !== null && isAlive(live.pid) ? 'find out why with `outpool doctor`' : 'start it with `outpool up`'
  return `the worker of this host ${heard}: ${remedy}`
}

/** Why an order that was accepted is not carried out yet, or null if its session is watched. */
export async function waitsForHost(
  engine: Engine,
  home: Home,
  { card, running }: ListedSession,
): Promise<string | null> {
  if (!running) return null
  const now = new Date()
  const heard = await readHeardHosts(engine, home, readLive(home), [card.host])
  const marked = markSilent(card, heard, home, now)
  if (marked.silentSince === undefined) return null
  const since = marked.silentSince === null ? '' : ` since ${clock(marked.silentSince, now)}`
  const host = card.host === home.hostId ? 'this host' : `its host ${card.host}`
  return `it waits for the worker of ${host}, which has not been heard of${since}`
}

/** What happened to an order, and why it waits, if it does. */
export const withReason = (what: string, waits: string | null): string =>
  waits === null ? what : `${what}; ${waits}`
