/** Reads the state of the fleet: sessions from the engine's list, accounts from the pool and this host. */
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { accountRows } from '../commands/accounts.js'
import { withEngine } from '../engine/engine.js'
import { EngineError } from '../errors.js'
import { forecastsOf } from '../output/forecast.js'
import { queryPool } from '../engine/pool.js'
import { isFresh, listSessions, toSessionRow, mergeLiveState } from '../engine/sessionRows.js'
import { hostsOf, markSilent, readHeardHosts } from '../engine/silence.js'
import { unwatchedReason } from '../hostNotice.js'
import type { Fleet } from './screen.js'

/** Forecasts change slowly, and take longer than the rest. Milliseconds. */
const foreseeEvery = 60_000

/** Does not fail if the engine is unreachable: keeps the sessions read before, and reports the problem. */
export async function readFleet(home: Home, config: Config, before: Fleet | null): Promise<Fleet> {
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
    const { listed, heard, pool } = await withEngine(home, async (engine) => {
      const [listed, pool] = await Promise.all([
        listSessions(engine, at),
        watched ? queryPool(engine, config.pool.name) : Promise.resolve(null),
      ])
      return { listed, pool, heard: await readHeardHosts(engine, home, live, hostsOf(listed)) }
    })
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
