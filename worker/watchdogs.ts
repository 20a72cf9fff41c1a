/** Sends each watchdog its configuration, starts missing watchdogs, and retires those of services that are no longer configured. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import type { Config, ServiceConfig } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import { commonQueue, searchAttributes, watchdogWorkflowId } from '../policy/ids.js'
import type { ServiceSpec } from '../policy/service/service.js'
import { watchdogSignals } from '../workflows/messages.js'

const host = defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD)

/** A retiring watchdog gets this long to end its service, before new ones are started. */
const retireWithin = 60_000

/**
 * Needs a running worker: a removed service is ended before a new one is started, since it may be the same under another name.
 * `endForeign` ends a workflow of this id that was not started by us.
 */
export async function configureWatchdogs(
  client: Client,
  home: Home,
  config: Config,
  endForeign: (workflowId: string) => Promise<void>,
): Promise<void> {
  const specs = config.services.map((service) => serviceSpec(home, config, service))
  const ids = new Set(specs.map(({ name }) => watchdogWorkflowId(name)))
  const removed = (await watchdogsOf(client, home)).filter((id) => !ids.has(id))
  await Promise.all(removed.map((id) => retire(client, id)))
  for (const spec of specs) {
    await endForeign(watchdogWorkflowId(spec.name))
    await client.workflow.signalWithStart('watchdog', {
      workflowId: watchdogWorkflowId(spec.name),
      taskQueue: commonQueue,
      args: [spec],
      signal: watchdogSignals.configure,
      signalArgs: [spec],
      typedSearchAttributes: [{ key: host, value: home.hostId }],
      staticSummary: `guards ${spec.name}`,
    })
  }
}

const serviceSpec = ({ hostId }: Home, { pool }: Config, service: ServiceConfig): ServiceSpec => ({
  ...{ name: service.name, host: hostId, pool: pool.name, every: service.every, restarts: service.restarts },
  canStart: service.run !== null,
  wakeUp: retryRules(service.wakeUp),
})

const retryRules = (wakeUp: ServiceConfig['wakeUp']): ServiceSpec['wakeUp'] =>
  wakeUp === null ? null : { retryEvery: wakeUp.retryEvery, retryMaxInterval: wakeUp.retryMaxInterval }

async function watchdogsOf(client: Client, { hostId }: Home): Promise<string[]> {
  const query = `WorkflowType = 'watchdog' AND ExecutionStatus = 'Running' AND ${searchAttributes.host} = '${hostId}'`
  const ids: string[] = []
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId)
  return ids
}

async function retire(client: Client, workflowId: string): Promise<void> {
  try {
    const handle = client.workflow.getHandle(workflowId)
    await handle.signal(watchdogSignals.retire)
    await Promise.race([handle.result(), delay(retireWithin, undefined, { ref: false })])
  } catch (error) {
    // The list may be a moment old, and the watchdog may have ended since.
    if (!(error instanceof WorkflowNotFoundError) && !(error instanceof WorkflowFailedError)) throw error
  }
}
