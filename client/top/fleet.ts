/** Reads the state of the fleet: sessions from the engine's list, accounts from the pool and this host. */
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { accountRows } from '../commands/accounts.js'
import { withEngine } from '../engine/engine.js'
import { EngineError } from '../errors.js'
import { queryPool } from '../engine/pool.js'
import { isFresh, listSessions, toSessionRow, mergeLiveState } from '../engine/sessionRows.js'
import { unwatchedReason } from '../hostNotice.js'
import type { Fleet } from './screen.js'

/** Does not fail if the engine is unreachable: keeps the sessions read before, and reports the problem. */
export async function readFleet(home: Home, config: Config, before: Fleet | null): Promise<Fleet> {
  const at = new Date()
  const live = readLive(home)
  const watched = isFresh(live, at)
  const unwatched = await unwatchedReason(home, live, at)
  const problems = unwatched === null ? [] : [unwatched]
  try {
    const [listed, pool] = await withEngine(home, (engine) =>
      Promise.all([
        listSessions(engine, at),
        watched ? queryPool(engine, config.pool.name) : Promise.resolve(null),
      ]),
    )
    const sessions = listed.map(({ card }) => toSessionRow(mergeLiveState(card, live, home, at)))
    return { sessions, accounts: accountRows(config, pool, live, at), problems, at }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    const accounts = accountRows(config, null, live, at)
    return { sessions: before?.sessions ?? [], accounts, problems: [...problems, error.message], at }
  }
}
