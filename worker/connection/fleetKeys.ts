/** Whether this host has the key of its fleet, by what the engine stores of the fleet's pools. */
import { type Connection, isGrpcServiceError } from '@temporalio/client'
import type { Payload } from '@temporalio/common'
import { tsToMs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'
import { keyIdOf, SealingCodec } from '../../config/seal/codec.js'
import type { SealKeys } from '../../config/seal/keys.js'
import type { Home } from '../../config/state/home.js'
import { poolWorkflowId } from '../../policy/ids.js'
import { FleetKeyError } from '../errors.js'

const { WORKFLOW_EXECUTION_STATUS_RUNNING: running, WORKFLOW_EXECUTION_STATUS_TERMINATED: terminated } =
  proto.temporal.api.enums.v1.WorkflowExecutionStatus

/** Where a fleet's workflows are. */
export interface FleetEngine {
  connection: Connection
  namespace: string
}

/** The fleets of one engine are few. */
const mostPools = 20

/**
 * Throws FleetKeyError if pools run at this engine, and none was started with a key that this host has: its worker would refuse
 * every message of the other hosts, and they would refuse its own. A pool under any other key is no reason, since anyone who
 * reaches the engine can start one. `keys`: null if the host has none.
 */
export async function assertFleetKey(
  engine: FleetEngine,
  home: Home,
  keys: SealKeys | null,
  pool: string,
): Promise<void> {
  const others: string[] = []
  for (const workflowId of await runningPools(engine, pool)) {
    const id = keyIdOf(await startOf(engine, workflowId))
    if (id !== null && keys?.byId.has(id) === true) return
    if (id !== null) others.push(id)
  }
  const [other] = others
  if (other === undefined) return
  const known = keys === null ? 'is not there' : `has only ${[...keys.byId.keys()].join(', ')}`
  throw new FleetKeyError(
    `the sessions at this engine are sealed with key ${other}, and ${home.sealKeys} ${known}`,
    `copy the file from the host on which they were started, with mode 0600; without it, they can only be terminated`,
  )
}

/**
 * Ends a workflow that someone without our key has started under an id of ours: a message to it would be lost, since no worker acts for
 * it. Does nothing for one that another host of the fleet has started.
 */
export async function endForeign(engine: FleetEngine, keys: SealKeys, workflowId: string): Promise<void> {
  const { namespace } = engine
  const start = await startOf(engine, workflowId)
  if (start === undefined || new SealingCodec(keys, namespace).open(start ?? {}) !== null) return
  await endRun(engine, { workflowId })
}

export async function endRun(
  { connection, namespace }: FleetEngine,
  workflowExecution: { workflowId: string; runId?: string },
): Promise<void> {
  await connection.workflowService.terminateWorkflowExecution({
    ...{ namespace, workflowExecution, reason: 'it was not started by Outpool' },
  })
}

/** Whether the input of a workflow was sealed with a key that this host has. */
export const isOwnStart = (start: Payload | null, keys: SealKeys, namespace: string): boolean =>
  keys.find(keyIdOf(start ?? {}) ?? '') !== undefined &&
  new SealingCodec(keys, namespace).open(start ?? {}) !== null

/** The own pool is asked for by its id, since lists of workflows are seconds late. */
async function runningPools({ connection, namespace }: FleetEngine, own: string): Promise<Set<string>> {
  const { executions } = await connection.workflowService.listWorkflowExecutions({
    ...{ namespace, pageSize: mostPools },
    query: `WorkflowType = 'pool' AND ExecutionStatus = 'Running'`,
  })
  return new Set([poolWorkflowId(own), ...executions.map(({ execution }) => execution?.workflowId ?? '')])
}

/** The stored input of a running workflow, null if it has none; undefined if no such workflow runs. */
async function startOf(engine: FleetEngine, workflowId: string): Promise<Payload | null | undefined> {
  const run = await storedRun(engine, workflowId)
  return run?.isRunning === true ? run.start : undefined
}

export interface StoredRun {
  runId: string
  isRunning: boolean
  isTerminated: boolean
  /** When it began, by the engine's clock; ms since the epoch. */
  startedAt: number
  /** The stored input; null if it has none. */
  start: Payload | null
}

/** This run, or the newest one. Null if there is no such workflow. */
export async function storedRun(
  { connection, namespace }: FleetEngine,
  workflowId: string,
  ofRun?: string,
): Promise<StoredRun | null> {
  const { workflowService } = connection
  try {
    const { workflowExecutionInfo } = await workflowService.describeWorkflowExecution({
      ...{ namespace, execution: { workflowId, ...(ofRun === undefined ? {} : { runId: ofRun }) } },
    })
    const runId = workflowExecutionInfo?.execution?.runId ?? ''
    const { history } = await workflowService.getWorkflowExecutionHistory({
      ...{ namespace, execution: { workflowId, runId }, maximumPageSize: 1 },
    })
    const [first] = history?.events ?? []
    const start = first?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0] ?? null
    const { status, startTime } = workflowExecutionInfo ?? {}
    const isTerminated = status === terminated
    return { runId, isRunning: status === running, isTerminated, startedAt: tsToMs(startTime), start }
  } catch (error) {
    if (isGrpcServiceError(error) && notFound.has(error.code)) return null
    throw error
  }
}

/** The status code of gRPC for a workflow that does not exist. */
const notFound = new Set<number>([5])
