/** Services from the memo of each watchdog, completed by the last check of this host. */
import { type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client'
import type { SignalDefinition } from '@temporalio/common'
import { z } from 'zod'
import type { ServiceConfig } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { nearest } from '../../config/validate/nearest.js'
import { type LastCheckFile, readLastCheck } from '../../config/state/serviceFiles.js'
import { watchdogWorkflowId } from '../../policy/ids.js'
import {
  serviceStates,
  type ServiceView,
  type Verdict,
  displayedState,
} from '../../policy/service/service.js'
import { type WatchdogView, watchdogMemo } from '../../workflows/messages.js'
import type { Engine } from './engine.js'
import { FailedError } from '../errors.js'

const cardSchema = z.object({
  name: z.string(),
  host: z.string(),
  state: z.enum(serviceStates),
  pid: z.number().int().nullable(),
  restarts: z.number().int(),
  incident: z.number().int().nullable(),
  attention: z.string().nullable(),
})

export interface ListedService extends ServiceView {
  host: string
  attention: string | null
  /** The verdict of this host's last check and its reason, or null. */
  verdict: Verdict | null
  why: string | null
}

/** One call to the engine. Sorted by name. */
export async function listServices(engine: Engine, home: Home): Promise<ListedService[]> {
  const query = `WorkflowType = 'watchdog' AND ExecutionStatus = 'Running'`
  const listed: ListedService[] = []
  for await (const run of engine.client.workflow.list({ query, pageSize: 1000 })) {
    const card = cardOf(run)
    if (card !== null)
      listed.push(withLastCheck(card, card.host === home.hostId ? readLastCheck(home, card.name) : null))
  }
  return listed.sort((a, b) => a.name.localeCompare(b.name))
}

/** Null for a watchdog whose first workflow task no worker has run yet: it has no memo. */
function cardOf({ memo }: WorkflowExecutionInfo): WatchdogView | null {
  return cardSchema.safeParse(memo?.[watchdogMemo]).data ?? null
}

function withLastCheck(card: WatchdogView, check: LastCheckFile | null): ListedService {
  const { name, host, restarts, incident, attention } = card
  return {
    ...{ name, host, restarts, incident },
    state: displayedState(card.state, check?.verdict ?? null),
    pid: check === null ? card.pid : check.pid,
    lastBeat: check?.memory.beat ?? null,
    nextCheckAt: check?.nextCheckAt ?? null,
    attention: attention ?? (check?.verdict === 'blind' ? `${name}: ${check.why}` : null),
    verdict: check?.verdict ?? null,
    why: check?.why ?? null,
  }
}

export const toServiceView = ({
  name,
  state,
  pid,
  lastBeat,
  restarts,
  incident,
  nextCheckAt,
}: ListedService): ServiceView => ({
  ...{ name, state, pid, lastBeat, restarts, incident, nextCheckAt },
})

/** Sends a signal to the watchdog. Throws FailedError if none is running. */
export async function signalService(
  engine: Engine,
  name: string,
  signal: SignalDefinition,
  configured: readonly ServiceConfig[],
): Promise<void> {
  try {
    await engine.client.workflow.getHandle(watchdogWorkflowId(name)).signal(signal)
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? notGuardedError(name, configured) : error
  }
}

/** For a service without a watchdog: it is not configured, or no worker has started since it was. */
export const notGuardedError = (name: string, configured: readonly ServiceConfig[]): FailedError =>
  configured.some((service) => service.name === name)
    ? new FailedError(`service ${name} is configured, but not guarded yet`, 'restart `outpool up`')
    : unknownServiceError(name, configured)

export function unknownServiceError(name: string, configured: readonly ServiceConfig[]): FailedError {
  const names = configured.map((service) => service.name)
  const meant = nearest(name, names)
  return new FailedError(
    `there is no service ${name}`,
    meant === null
      ? 'see the services with `outpool services`; outpool.yaml declares them'
      : `did you mean ${meant}?`,
  )
}
