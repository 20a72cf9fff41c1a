/** Asks the engine which workers are alive, and says of an order that it waits for one. */
import { heardAt } from '../../config/engine/heardHosts.js'
import { engineAhead } from '../../config/engine/pollers.js'
import type { HeardAt, ListedSession } from '../../config/fleet/session.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { formatLocalClock } from '../output/times.js'
import { heardHosts, markSilent } from '../sessions/silentSessions.js'
import type { Engine } from './engine.js'

/** Of other hosts. Asks the engine only if there is one among `hosts`. */
export async function readHeardHosts(engine: Engine, home: Home, hosts: readonly string[]): Promise<HeardAt> {
  if (hosts.every((host) => host === home.hostId)) return {}
  const { connection } = engine.client
  return heardAt(connection, engine.namespace, () => engineAhead(connection, engine.namespace))
}

/** Why an order that was accepted is not carried out yet, or null if its session is watched. */
export async function waitsForHost(
  engine: Engine,
  home: Home,
  { card, running }: ListedSession,
): Promise<string | null> {
  if (!running) return null
  const now = new Date()
  const heard = heardHosts(home, readLive(home), await readHeardHosts(engine, home, [card.host]))
  const marked = markSilent(card, heard, home, now)
  if (marked.silentSince === undefined) return null
  const since = marked.silentSince === null ? '' : ` since ${formatLocalClock(marked.silentSince, now)}`
  const host = card.host === home.hostId ? 'this host' : `its host ${card.host}`
  return `it waits for the worker of ${host}, which has not been heard of${since}`
}

/** What happened to an order, and why it waits, if it does. */
export const withReason = (what: string, waits: string | null): string =>
  waits === null ? what : `${what}; ${waits}`
