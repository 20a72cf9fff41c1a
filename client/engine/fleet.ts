/** What commands show of the fleet, read from the engine: for a host without a worker that answers. */
import { listSessions, readSession } from '../../config/engine/sessions.js'
import type { Home } from '../../config/state/home.js'
import { sessionQueries } from '../../workflows/messages.js'
import type { FleetSource, ReportedSession } from '../fleet/fleetSource.js'
import { checkName } from '../names.js'
import { hostsOf } from '../sessions/silentSessions.js'
import { type Engine, withEngine } from './engine.js'
import { queryPool } from './pool.js'
import { unknownSessionError } from './session.js'
import { readHeardHosts } from './silence.js'

export const engineFleet: FleetSource = {
  sessions: (home, closedSince) =>
    withEngine(home, async (engine) => {
      const listed = await listSessions(engine, closedSince)
      return { listed, heard: await readHeardHosts(engine, home, hostsOf(listed)) }
    }),
  session: (home, name) => withEngine(home, (engine) => sessionOfEngine(engine, home, name)),
  pool: (home, pool) => withEngine(home, (engine) => queryPool(engine, pool)),
}

/** Throws FailedError if there is no session of this name. */
export async function sessionOfEngine(engine: Engine, home: Home, name: string): Promise<ReportedSession> {
  const found = await readSession(engine, checkName(name), sessionQueries.describe)
  if (found === null) throw await unknownSessionError(engine, name)
  return { ...found, heard: await readHeardHosts(engine, home, hostsOf([found.listed])) }
}
