/**
 * What commands show of the fleet. The worker of this host knows it, and answers over a socket. If it does not, the engine is asked,
 * whose library takes longer to load than everything else together.
 */
import type { PoolDescription } from '../../config/fleet/pool.js'
import type { Home } from '../../config/state/home.js'
import type { FleetSessions, FleetSource, ReportedSession } from './fleetSource.js'
import { askWorker } from '../localSocket/askWorker.js'
import { checkName } from '../names.js'

export class FleetReader implements FleetSource {
  readonly #ask: typeof askWorker
  readonly #otherwise: () => Promise<FleetSource>

  /**
   * `isWorkerSilent`: the worker of this host was asked already, and did not answer. `otherwise`: what is asked if it does not answer;
   * by default the engine.
   */
  constructor({
    isWorkerSilent = false,
    otherwise = async () => (await import('../engine/fleet.js')).engineFleet,
  }: { isWorkerSilent?: boolean; otherwise?: () => Promise<FleetSource> } = {}) {
    this.#ask = isWorkerSilent ? () => Promise.resolve(null) : askWorker
    this.#otherwise = otherwise
  }

  async sessions(home: Home, closedSince: Date | 'ever'): Promise<FleetSessions> {
    const since = closedSince === 'ever' ? closedSince : closedSince.toISOString()
    const known = await this.#ask(home, 'sessions', { closedSince: since })
    return known ?? (await this.#otherwise()).sessions(home, closedSince)
  }

  async session(home: Home, name: string): Promise<ReportedSession> {
    const known = await this.#ask(home, 'session', { name: checkName(name) })
    if (known?.found) return { ...known.found, heard: known.heard }
    return (await this.#otherwise()).session(home, name)
  }

  async pool(home: Home, pool: string): Promise<PoolDescription | null> {
    const known = await this.#ask(home, 'pool', { pool })
    return known === null ? (await this.#otherwise()).pool(home, pool) : known.pool
  }
}
