/** Reads the state of the fleet: sessions and accounts from the worker of this host, or from the engine. */
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import type { AccountRow } from '../../policy/account/accountRow.js'
import type { SessionMemo, SessionRow } from '../../policy/session/session.js'
import { accountRows } from '../commands/accounts.js'
import { EngineError } from '../errors.js'
import { type AccountForecastRow, forecastsOf } from '../output/forecast.js'
import { isFresh, toSessionRow, mergeLiveState } from '../sessions/sessionRows.js'
import type { FleetSource } from '../fleet/fleetSource.js'
import { unwatchedReason } from '../sessions/unwatched.js'
import { heardHosts, markSilent } from '../sessions/silentSessions.js'

/** A row of the list, and what the details of a session say besides. */
export interface FleetSession extends SessionRow, Pick<SessionMemo, 'why' | 'since' | 'startedAt'> {}

/** The state of the fleet at one instant. */
export interface Fleet {
  sessions: FleetSession[]
  accounts: AccountRow[]
  /** By account. */
  forecasts: ReadonlyMap<string, AccountForecastRow>
  /** When these were made, in ms since the epoch. */
  foreseenAt: number
  /** Why the fleet is not watched or cannot be read, for a person; empty while all is well. */
  problems: string[]
  at: Date
}

/** Forecasts change slowly, and take longer than the rest. Milliseconds. */
const foreseeEvery = 60_000

/** Does not fail if the engine is unreachable: keeps the sessions read before, and reports the problem. */
export async function readFleet(
  source: FleetSource,
  home: Home,
  config: Config,
  before: Fleet | null,
): Promise<Fleet> {
  const at = new Date()
  const live = readLive(home)
  const watched = isFresh(live, at)
  const unwatched = await unwatchedReason(home, live, at)
  const problems = unwatched === null ? [] : [unwatched]
  const isForeseen = before !== null && at.getTime() - before.foreseenAt < foreseeEvery
  const { forecasts, foreseenAt } = isForeseen
    ? before
    : { forecasts: forecastsOf(home, config, live, at), foreseenAt: at.getTime() }
  try {
    const [{ listed, heard: others }, pool] = await Promise.all([
      source.sessions(home, at),
      watched ? source.pool(home, config.pool.name) : Promise.resolve(null),
    ])
    const heard = heardHosts(home, live, others)
    const sessions = listed.map(({ card }): FleetSession => {
      const { why, since, startedAt } = card
      const seen = markSilent(mergeLiveState(card, live, home, at), heard, home, at)
      return { ...toSessionRow(seen), why, since, startedAt }
    })
    return { sessions, accounts: accountRows(config, pool, live, at), forecasts, foreseenAt, problems, at }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    const accounts = accountRows(config, null, live, at)
    const sessions = before?.sessions ?? []
    return { sessions, accounts, forecasts, foreseenAt, problems: [...problems, error.message], at }
  }
}
