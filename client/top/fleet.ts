/** Reads the state of the fleet: sessions and accounts from the worker of this host, or from the engine. */
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { accountRows } from '../commands/accounts.js'
import { EngineError } from '../errors.js'
import { forecastsOf } from '../output/forecast.js'
import { isFresh, toSessionRow, mergeLiveState } from '../sessions/sessionRows.js'
import type { FleetSource } from '../fleet/fleetSource.js'
import { unwatchedReason } from '../sessions/unwatched.js'
import { heardHosts, markSilent } from '../sessions/silentSessions.js'
import type { Fleet } from './screen.js'

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
    const sessions = listed.map(({ card }) =>
      toSessionRow(markSilent(mergeLiveState(card, live, home, at), heard, home, at)),
    )
    return { sessions, accounts: accountRows(config, pool, live, at), forecasts, foreseenAt, problems, at }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    const accounts = accountRows(config, null, live, at)
    const sessions = before?.sessions ?? []
    return { sessions, accounts, forecasts, foreseenAt, problems: [...problems, error.message], at }
  }
}
