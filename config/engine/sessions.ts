/** Sessions as the engine has them: from its list, which has the memo of each run, and from their workflows. */
import {
  type Client,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type WorkflowExecutionInfo,
} from '@temporalio/client'
import type { QueryDefinition } from '@temporalio/common'
import { sessionWorkflowId } from '../../policy/ids.js'
import { newMemo, sessionMemo, type SessionDetails, type SessionMemo } from '../../policy/session/session.js'
import {
  detailsSchema,
  type FoundSession,
  type ListedSession,
  memoSchema,
  type SessionDescription,
} from '../fleet/session.js'
import { isUnanswered } from './grpc.js'
import { queryWorkflow } from './query.js'

/** What can call the engine: the connection of a command, or of a worker. */
export interface EngineCalls {
  client: Client
}

const idPrefix = sessionWorkflowId('')

/** One call to the engine: running sessions, and those that stopped since `closedSince`. Sorted by name. */
export async function listSessions(
  { client }: EngineCalls,
  closedSince: Date | 'ever',
): Promise<ListedSession[]> {
  const closed =
    closedSince === 'ever'
      ? `ExecutionStatus != 'ContinuedAsNew'`
      : `CloseTime >= '${closedSince.toISOString()}'`
  const query = `WorkflowType = 'session' AND (ExecutionStatus = 'Running' OR ${closed})`
  const newest = new Map<string, ListedSession>()
  for await (const run of client.workflow.list({ query, pageSize: 1000 })) {
    if (run.status.name === 'CONTINUED_AS_NEW') continue
    const listed = toListedSession(run)
    const known = newest.get(listed.card.name)
    if (!known || known.since < listed.since) newest.set(listed.card.name, listed)
  }
  return sorted(newest.values())
}

/** In the order in which every list shows them. */
export const sorted = (sessions: Iterable<ListedSession>): ListedSession[] =>
  [...sessions].sort((a, b) => (a.card.name < b.card.name ? -1 : 1))

function toListedSession(
  run: Pick<WorkflowExecutionInfo, 'workflowId' | 'memo' | 'status' | 'startTime' | 'closeTime'>,
): ListedSession {
  const running = run.status.name === 'RUNNING'
  const card = memoSchema.safeParse(run.memo?.[sessionMemo]).data ?? blankCard(run)
  return {
    card: running ? card : { ...card, phase: 'stopped' },
    running,
    since: run.startTime,
    endedAt: running ? null : (run.closeTime ?? run.startTime),
  }
}

/** For a run without a readable memo: only its name is known. */
const blankCard = (run: Pick<WorkflowExecutionInfo, 'workflowId' | 'startTime'>): SessionMemo =>
  newMemo(
    {
      ...{ name: run.workflowId.slice(idPrefix.length), agent: '', sessionId: '', cwd: '', host: '' },
      ...{ model: null, account: null, pinned: false, priority: 0 },
    },
    run.startTime.toISOString(),
  )

/** Null if there is no session of this name. `describe`: the query that its workflow answers. */
export async function readSession(
  { client }: EngineCalls,
  name: string,
  describe: QueryDefinition<SessionDetails>,
): Promise<FoundSession | null> {
  const listed = await findListed({ client }, name)
  if (listed === null) return null
  const details = listed.running ? await querySession(client, name, describe) : await readResult(client, name)
  return { listed, details }
}

/** Null if there is no session of this name. */
export async function findListed({ client }: EngineCalls, name: string): Promise<ListedSession | null> {
  try {
    return toListedSession(await client.workflow.getHandle(sessionWorkflowId(name)).describe())
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null
    throw error
  }
}

/** Null if no worker answers in time. */
async function querySession(
  client: Client,
  name: string,
  describe: QueryDefinition<SessionDetails>,
): Promise<SessionDescription | null> {
  try {
    return detailsSchema.parse(await queryWorkflow(client, sessionWorkflowId(name), describe))
  } catch (error) {
    if (isUnanswered(error)) return null
    throw error
  }
}

/** What an ended run has returned; null if it was terminated. */
async function readResult(client: Client, name: string): Promise<SessionDescription | null> {
  try {
    const result: unknown = await client.workflow.getHandle(sessionWorkflowId(name)).result()
    return detailsSchema.safeParse(result).data ?? null
  } catch (error) {
    if (error instanceof WorkflowFailedError) return null
    throw error
  }
}
