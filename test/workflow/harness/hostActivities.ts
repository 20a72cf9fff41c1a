/**
 * Wires a worker's activities to a fake host: a launch stops the process before it, and a wall asks the pool.
 */
import type { Client } from '@temporalio/client'
import type { CarriedEvents, HostActivities } from '../../../activities/contracts.js'
import { LeaseBatcher } from '../../../activities/watch/leaseBatcher.js'
import { poolWorkflowId } from '../../../policy/ids.js'
import { modelsAfter } from '../../../policy/pool/lease.js'
import { poolUpdates } from '../../../workflows/messages.js'

type Steps = Partial<HostActivities>

export function asOnHost<T extends Steps>(steps: T, pool: string, client: Client): T {
  const { launchAgent, stopAgent, watchAgent, readAccounts, recordEvents = () => Promise.resolve() } = steps
  if (!launchAgent || !stopAgent || !watchAgent || !readAccounts) return { recordEvents, ...steps }
  const record = ({ events = [] }: CarriedEvents): Promise<void> => recordEvents({ events })
  return {
    ...steps,
    recordEvents,
    stopAgent: async (request) => {
      await record(request)
      return stopAgent(request)
    },
    launchAgent: async (request) => {
      await record(request)
      const stopped = request.stop ? await stopAgent(request.stop) : null
      const launched = await launchAgent(request)
      return { ...launched, steps: [...(stopped?.steps ?? []), ...launched.steps] }
    },
    watchAgent: async (request) => {
      await record(request)
      const observation = await watchAgent(request)
      const { leaseRequest: ask } = request
      if (observation.kind !== 'walled' || !ask || observation.lease === null) return observation
      const { readings } = observation
      const batcher = new LeaseBatcher(
        pool,
        (round) =>
          client.workflow
            .getHandle(poolWorkflowId(pool))
            .executeUpdate(poolUpdates.requestLeases, { args: [round] }),
        () => readings,
      )
      const models = modelsAfter(ask.request.models, observation.wall)
      const lease = await batcher.requestLease(ask.pool, { ...ask.request, models })
      return { ...observation, lease, readings: lease === null ? readings : [] }
    },
  }
}
