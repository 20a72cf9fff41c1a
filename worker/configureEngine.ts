/** Sends the configuration to what runs in the engine: the pool, the schedules, and the sessions of this host. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { Config } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import type { AccountSpec } from '../policy/account/account.js'
import { commonQueue, poolWorkflowId, searchAttributes } from '../policy/ids.js'
import type { PoolSettings } from '../policy/pool/lease.js'
import { poolSignals, sessionSignals } from '../workflows/messages.js'
import { retryTransient } from './engine/retryTransient.js'
import { syncDrill } from './schedules/drillSchedule.js'
import { syncSchedules } from './schedules/taskSchedules.js'

/**
 * What needs no running worker; see also `configureWatchdogs`. Idempotent. `endIfForeign` ends a workflow of this id that was not
 * started by us.
 */
export async function configureEngine(
  client: Client,
  home: Home,
  config: Config,
  endIfForeign: (workflowId: string) => Promise<void>,
): Promise<void> {
  await retryTransient(() => endIfForeign(poolWorkflowId(config.pool.name)))
  await retryTransient(() => configurePool(client, home, config))
  await retryTransient(() => syncSchedules(client, home, config))
  await retryTransient(() => syncDrill(client, home, config))
}

/** Sends the timing to the sessions of this host, which keep it in their own state. */
export async function configureSessions(client: Client, { hostId }: Home, { timing }: Config): Promise<void> {
  const query = `WorkflowType = 'session' AND ExecutionStatus = 'Running' AND ${searchAttributes.host} = '${hostId}'`
  for await (const { workflowId } of client.workflow.list({ query })) {
    const sent = client.workflow.getHandle(workflowId).signal(sessionSignals.configure, timing)
    await sent.catch((error: unknown) => {
      // The list may be a moment old, and the session may have ended since.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    })
  }
}

/** Sends the configuration to the pool; starts the pool if it is not running. */
async function configurePool(client: Client, home: Home, config: Config): Promise<void> {
  const settings = poolSettings(home, config)
  await client.workflow.signalWithStart('pool', {
    workflowId: poolWorkflowId(config.pool.name),
    taskQueue: commonQueue,
    args: [settings],
    signal: poolSignals.configure,
    signalArgs: [settings],
    staticSummary: `accounts of ${config.pool.name}: walls, budgets, leases`,
  })
}

function poolSettings(home: Home, config: Config): PoolSettings {
  const { pool, timing, substrates } = config
  const { to, settleFor, retryEvery, retryMaxInterval, giveUpAfter } = config.notices
  const channels = to.map(({ name }) => name)
  const notices = { channels, settleFor, retryEvery, retryMaxInterval, giveUpAfter }
  const accounts = [
    ...pool.accounts.map(({ name, ceiling, maxSessions, drain }): AccountSpec => ({
      ...{ name, role: 'pool', ceiling, maxSessions, drain },
    })),
    ...substrates.map(({ name, maxSessions, agent, model }): AccountSpec => ({
      ...{ name, role: 'substrate', ceiling: 1, maxSessions, runs: { agent, model } },
    })),
  ]
  return { name: pool.name, moveAt: pool.moveAt, accounts, timing, host: home.hostId, notices }
}
