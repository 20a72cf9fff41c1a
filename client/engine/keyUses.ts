/** Looks through everything that the engine stores for the keys with which it was sealed. */
import proto from '@temporalio/proto'
import { tsToMs } from '@temporalio/common/lib/time.js'
import { grpcCode, grpcStatus } from '../../config/engine/grpc.js'
import { keyIdOf } from '../../config/seal/codec.js'
import { escalationSignals, poolSignals, sessionSignals, watchdogSignals } from '../../workflows/messages.js'
import type { Engine } from './engine.js'

const { WORKFLOW_EXECUTION_STATUS_RUNNING: running } = proto.temporal.api.enums.v1.WorkflowExecutionStatus

const pageSize = 500

/** Where something is that a key has sealed. */
export interface KeyUse {
  key: string
  /** The id of a workflow, or of a schedule. */
  where: string
  /** The run that goes on, if it is one: once a new run has begun, this one is removed in time. Null for what has ended. */
  renewable: string | null
}

/** Milliseconds for which the engine keeps what has ended. */
export async function namespaceRetention({ client, namespace }: Engine): Promise<number> {
  const { config } = await client.workflowService.describeNamespace({ namespace })
  return tsToMs(config?.workflowExecutionRetentionTtl)
}

/** What these keys have sealed, and is stored. `startedBy`: a run that began later holds nothing of them; null if that is not known. */
export async function keyUses(
  engine: Engine,
  keys: ReadonlySet<string>,
  startedBy: Date | null,
): Promise<KeyUse[]> {
  const uses: KeyUse[] = []
  for await (const { execution, status, ...listed } of storedRuns(engine, startedBy)) {
    const { workflowId, runId } = { workflowId: execution?.workflowId ?? '', runId: execution?.runId ?? '' }
    const found = keyIdsIn(listed)
    for await (const events of historyOf(engine, workflowId, runId)) keyIdsIn(events, found)
    const renewable = status === running ? runId : null
    for (const key of found) if (keys.has(key)) uses.push({ key, where: workflowId, renewable })
  }
  for await (const [scheduleId, schedule] of storedSchedules(engine))
    for (const key of keyIdsIn(schedule))
      if (keys.has(key)) uses.push({ key, where: `the schedule ${scheduleId}`, renewable: null })
  return uses
}

/** Has a workflow that runs begin a new run, whose state is sealed with the current key. False if it has none that can be asked. */
export async function renew({ client }: Engine, workflowId: string, runId: string): Promise<boolean> {
  const signals = {
    session: sessionSignals.migrate,
    pool: poolSignals.migrate,
    watchdog: watchdogSignals.migrate,
    escalation: escalationSignals.migrate,
  }
  const signal = new Map(Object.entries(signals)).get(workflowId.split('/', 1)[0] ?? '')
  if (signal === undefined) return false
  try {
    await client.workflow.getHandle(workflowId, runId).signal(signal)
    return true
  } catch (error) {
    // It has ended since.
    if (grpcCode(error) === grpcStatus.notFound) return false
    throw error
  }
}

type Listed = proto.temporal.api.workflow.v1.IWorkflowExecutionInfo

async function* storedRuns({ client, namespace }: Engine, startedBy: Date | null): AsyncGenerator<Listed> {
  const query = startedBy === null ? '' : `StartTime <= '${startedBy.toISOString()}'`
  for (let nextPageToken: Uint8Array | null = null; ;) {
    const page: proto.temporal.api.workflowservice.v1.IListWorkflowExecutionsResponse =
      await client.workflowService.listWorkflowExecutions({ namespace, query, pageSize, nextPageToken })
    yield* page.executions ?? []
    nextPageToken = page.nextPageToken ?? null
    if (isLast(nextPageToken)) return
  }
}

/** Pages of events. None of a run that the engine has removed since. */
async function* historyOf({ client, namespace }: Engine, workflowId: string, runId: string): AsyncGenerator {
  try {
    for (let nextPageToken: Uint8Array | null = null; ;) {
      const page: proto.temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse =
        await client.workflowService.getWorkflowExecutionHistory({
          ...{ namespace, execution: { workflowId, runId }, nextPageToken },
        })
      yield page.history?.events
      nextPageToken = page.nextPageToken ?? null
      if (isLast(nextPageToken)) return
    }
  } catch (error) {
    if (grpcCode(error) !== grpcStatus.notFound) throw error
  }
}

async function* storedSchedules({ client, namespace }: Engine): AsyncGenerator<[string, unknown]> {
  for (let nextPageToken: Uint8Array | null = null; ;) {
    const page: proto.temporal.api.workflowservice.v1.IListSchedulesResponse =
      await client.workflowService.listSchedules({ namespace, maximumPageSize: pageSize, nextPageToken })
    for (const { scheduleId } of page.schedules ?? [])
      if (scheduleId != null)
        yield [scheduleId, await client.workflowService.describeSchedule({ namespace, scheduleId })]
    nextPageToken = page.nextPageToken ?? null
    if (isLast(nextPageToken)) return
  }
}

const isLast = (token: Uint8Array | null): boolean => token === null || token.length === 0

/** The ids of keys that any payload inside names. */
function keyIdsIn(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return found
  if ('metadata' in value && 'data' in value) {
    const id = keyIdOf(value as Parameters<typeof keyIdOf>[0])
    if (id !== null) found.add(id)
  }
  for (const inner of Object.values(value)) keyIdsIn(inner, found)
  return found
}
