/**
 * Starts a session again whose workflow was deleted at the engine while its agent ran, from what this host has recorded of its newest
 * launch. For those without a process see inactive.ts.
 */
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { Sampler } from '../../activities/watch/sampler.js'
import type { Host } from '../../host/host.js'
import type { LaunchRecord } from '../../host/state/sessionRecord.js'
import { commonQueue, isWakeUpName, sessionWorkflowId } from '../../policy/ids.js'
import type { SessionStart } from '../../workflows/messages.js'
import { type FleetEngine, storedRun } from '../connection/fleetKeys.js'

/** Polls in a row that found a session unwatched before the engine is asked for it: a move takes less time than lies between two. */
const minUnwatchedPolls = 2

export class DeletedSessions {
  readonly #host: Host
  readonly #sampler: Pick<Sampler, 'isWatched'>
  readonly #client: Client
  readonly #engine: FleetEngine
  /**
   * Those that this worker has watched: of the others it is not known that this engine ever had them, since a person may have changed to
   * another engine.
   */
  readonly #seen = new Set<string>()
  /** How often in a row each was found unwatched. */
  #unwatched = new Map<string, number>()

  constructor(host: Host, sampler: Pick<Sampler, 'isWatched'>, client: Client, engine: FleetEngine) {
    this.#host = host
    this.#sampler = sampler
    this.#client = client
    this.#engine = engine
  }

  /** `onSession` is called for each that was started again. Throws if the engine does not answer. */
  async restoreMissing(onSession: (session: string, workflow: string) => void): Promise<void> {
    const names = this.#host.records.names()
    for (const name of names) if (this.#sampler.isWatched(name)) this.#seen.add(name)
    const unwatched = names.filter((name) => this.#seen.has(name) && this.#shouldBeWatched(name))
    this.#unwatched = new Map(unwatched.map((name) => [name, (this.#unwatched.get(name) ?? 0) + 1]))
    for (const [name, polls] of this.#unwatched) {
      if (polls < minUnwatchedPolls) continue
      const launch = this.#host.records.newest(name)
      const workflowId = sessionWorkflowId(name)
      if (launch === null || (await storedRun(this.#engine, workflowId)) !== null) continue
      if (await this.#start(name, launch)) onSession(name, `${workflowId}@${launch.fence}`)
    }
  }

  #shouldBeWatched(name: string): boolean {
    if (isWakeUpName(name) || this.#sampler.isWatched(name)) return false
    const { records } = this.#host
    const launch = records.newest(name)
    return launch !== null && !records.isStopped(name, launch.fence)
  }

  /** False if it runs already. */
  async #start(name: string, { sessionId, agent, cwd, place }: LaunchRecord): Promise<boolean> {
    const { hostId } = this.#host.home
    const { pool, timing } = this.#host.config
    const forks = this.#host.records.forks(name).map(({ id }) => id)
    const start: SessionStart = {
      ...{ name, sessionId, agent, cwd, timing, pool: pool.name, host: hostId, forks },
      ...{ model: null, account: place.kind === 'account' ? place.name : null, pinned: false, priority: 0 },
      ...{ prompt: null, continues: true },
    }
    try {
      await this.#client.workflow.start('session', {
        ...{ workflowId: sessionWorkflowId(name), taskQueue: commonQueue, args: [start] },
        ...{ workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'FAIL' },
      })
      return true
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false
      throw error
    }
  }
}
