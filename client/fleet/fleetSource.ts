/** What commands show of the fleet, from the worker or from the engine. */
import type { PoolDescription } from '../../config/fleet/pool.js'
import type { FoundSession, HeardAt, ListedSession } from '../../config/fleet/session.js'
import type { Home } from '../../config/state/home.js'

export interface FleetSessions {
  listed: ListedSession[]
  heard: HeardAt
}

export interface ReportedSession extends FoundSession {
  heard: HeardAt
}

/** Each throws EngineError if there is no engine, or if it does not answer. */
export interface FleetSource {
  /** Running sessions, and those that stopped since then. */
  sessions(home: Home, closedSince: Date | 'ever'): Promise<FleetSessions>
  /** Throws FailedError if there is no session of this name. */
  session(home: Home, name: string): Promise<ReportedSession>
  /** Null if the pool was never set up, or if no worker answers for it. */
  pool(home: Home, pool: string): Promise<PoolDescription | null>
}
