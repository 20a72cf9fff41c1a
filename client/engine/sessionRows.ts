/** Sessions from the memo of each run, updated with what this host's worker sees now. */
import type { WorkflowExecutionInfo } from '@temporalio/client'
import { z } from 'zod'
import type { Home } from '../../config/state/home.js'
import type { LiveQuestion, LiveFile } from '../../config/state/liveFile.js'
import type { RunningTask } from '../../policy/session/backgroundTasks.js'
import {
  newMemo,
  phases,
  rescueCauses,
  type RescueEntry,
  type RescueStep,
  type SessionDetails,
  type SessionMemo,
  type SessionRow,
  type SessionView,
} from '../../policy/session/session.js'
import { questionAttention } from '../../policy/session/question.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { sessionMemo, type SessionResult, type UndeliveredText } from '../../workflows/messages.js'
import type { Engine } from './engine.js'

const maybe = z.string().nullable().default(null)

/** Names every key of T, and no other: a schema that misses one does not compile. */
type SchemaOf<T> = Record<keyof T, z.ZodType>

/** The memo, and what this host's worker observes. */
export interface SessionCard extends SessionMemo, LiveExtras {}

interface LiveExtras {
  background?: RunningTask[]
  question?: LiveQuestion | null
  /** Only of a session whose host is silent: when it was last heard of, or null if it never was. */
  silentSince?: string | null
}

const cardSchema = z.object({
  name: z.string(),
  phase: z.enum(phases),
  account: maybe,
  substrate: maybe,
  agent: z.string(),
  sessionId: z.string(),
  cwd: z.string(),
  host: z.string(),
  pane: maybe,
  model: maybe,
  rescues: z.number().int().default(0),
  walledUntil: maybe,
  parkedUntil: maybe,
  attention: maybe,
  why: maybe,
  tmuxSocket: maybe,
  pid: z.number().int().nullable().default(null),
  transcript: maybe,
  fork: maybe,
  untoldForks: z.array(z.string()).default([]),
  models: z.array(z.string()).default([]),
  fallback: z.array(z.string()).nullable().default(null),
  pinnedTo: maybe,
  priority: z.number().int().default(0),
  since: maybe,
  nextWakeUp: maybe,
  startedAt: z.string(),
} satisfies SchemaOf<SessionMemo>)

const stepSchema = z.object({
  name: z.string(),
  ms: z.number(),
  fault: z.string().optional(),
} satisfies SchemaOf<RescueStep>)

const rescueSchema = z.object({
  n: z.number().int(),
  cause: z.enum(rescueCauses),
  byPerson: z.boolean().optional(),
  from: maybe,
  to: maybe,
  wall: z
    .object({ kind: z.string(), scope: z.string(), resetsAt: maybe, evidence: z.string() })
    .nullable()
    .default(null),
  startedAt: z.string(),
  endedAt: maybe,
  steps: z.array(stepSchema),
  result: maybe,
} satisfies SchemaOf<RescueEntry>)
export type RescueRow = z.output<typeof rescueSchema>

/** The answer of the workflow's own `describe` query. */
export const detailsSchema = cardSchema.extend({ rescueLog: z.array(rescueSchema) } satisfies SchemaOf<
  Omit<SessionDetails, keyof SessionMemo>
>)
export type SessionDescription = z.output<typeof detailsSchema>

const promptSchema = z.union([z.string(), z.object({ file: z.string() })])

const textSchema = z.object({
  id: z.string(),
  text: z.string().nullable(),
  command: z.boolean().optional(),
} satisfies SchemaOf<UndeliveredText>)

const releasedSchema = z.object({
  tmuxSession: z.string().nullable(),
  tmuxSocket: z.string(),
  resume: z.string(),
} satisfies SchemaOf<NonNullable<SessionResult['released']>>)

/** The result of the workflow, as far as a new run continues from it. */
export const finalStateSchema = detailsSchema.extend({
  released: releasedSchema.optional(),
  undelivered: z
    .object({ prompt: promptSchema.nullable(), texts: z.array(textSchema) } satisfies SchemaOf<
      SessionResult['undelivered']
    >)
    .default({ prompt: null, texts: [] }),
} satisfies SchemaOf<Pick<SessionResult, 'undelivered' | 'released'>>)
export type FinalState = z.output<typeof finalStateSchema>

/** A session, and whether its run is open. */
export interface ListedSession {
  card: SessionCard
  running: boolean
  /** When its newest run began. */
  since: Date
}

const idPrefix = sessionWorkflowId('')

/** One call to the engine: running sessions, and those that stopped since `closedSince`. Sorted by name. */
export async function listSessions(engine: Engine, closedSince: Date | 'ever'): Promise<ListedSession[]> {
  const closed =
    closedSince === 'ever'
      ? `ExecutionStatus != 'ContinuedAsNew'`
      : `CloseTime >= '${closedSince.toISOString()}'`
  const query = `WorkflowType = 'session' AND (ExecutionStatus = 'Running' OR ${closed})`
  const newest = new Map<string, ListedSession>()
  for await (const run of engine.client.workflow.list({ query, pageSize: 1000 })) {
    if (run.status.name === 'CONTINUED_AS_NEW') continue
    const listed = toListedSession(run)
    const known = newest.get(listed.card.name)
    if (!known || known.since < listed.since) newest.set(listed.card.name, listed)
  }
  return [...newest.values()].sort((a, b) => (a.card.name < b.card.name ? -1 : 1))
}

export function toListedSession(
  run: Pick<WorkflowExecutionInfo, 'workflowId' | 'memo' | 'status' | 'startTime'>,
): ListedSession {
  const running = run.status.name === 'RUNNING'
  const parsed = cardSchema.safeParse(run.memo?.[sessionMemo])
  const card = parsed.success ? parsed.data : blankCard(run)
  return { card: running ? card : { ...card, phase: 'stopped' }, running, since: run.startTime }
}

/** For a run without a readable memo: only its name is known. */
const blankCard = (run: Pick<WorkflowExecutionInfo, 'workflowId' | 'startTime'>): SessionCard =>
  newMemo(
    {
      ...{ name: run.workflowId.slice(idPrefix.length), agent: '', sessionId: '', cwd: '', host: '' },
      ...{ model: null, account: null, pinned: false, priority: 0 },
    },
    run.startTime.toISOString(),
  )

/** A live file that is older than this has no worker: a worker writes it several times within this time. */
const liveForMs = 30_000

export const isFresh = (live: LiveFile | null, now: Date): boolean =>
  live !== null && now.getTime() - Date.parse(live.at) <= liveForMs

const liveFields = new Set(['working', 'idle', 'waiting'])

/** The worker sees turns begin and end, which the workflow is not notified of. */
export function mergeLiveState<Card extends SessionCard>(
  card: Card,
  live: LiveFile | null,
  home: Home,
  now: Date,
): Card {
  const seen = live?.sessions[card.name]
  if (seen === undefined || !isFresh(live, now) || card.host !== home.hostId || !liveFields.has(card.phase))
    return card
  const asked = questionAttention(card.name, seen.waitingFor ?? 'an answer', Boolean(seen.question))
  // A dialog that is closed needs no attention any more; other problems don't end when the next turn begins.
  const known = card.phase === 'waiting' && seen.phase !== 'waiting' ? null : card.attention
  const attention = seen.phase === 'waiting' ? (known ?? asked) : known
  const { background = [], question = null } = seen
  const wakeUps = [card.nextWakeUp, seen.nextWakeUp].filter((at) => typeof at === 'string')
  const nextWakeUp = wakeUps.sort().at(0) ?? null
  const transcript = card.transcript ?? seen.transcript
  return { ...card, phase: seen.phase, attention, transcript, nextWakeUp, background, question }
}

/** A row of `ls --json`: exactly the keys of the contract, and `silentSince` while the host of the session is silent. */
export function toSessionView(card: SessionCard): SessionView & Pick<SessionCard, 'silentSince'> {
  const { name, phase, account, substrate, agent, sessionId, cwd, host, pane, model, rescues } = card
  const { walledUntil, parkedUntil, attention, silentSince } = card
  return {
    ...{ name, phase, account, substrate, agent, sessionId, cwd, host, pane, model, rescues },
    ...{ walledUntil, parkedUntil, attention },
    ...(silentSince === undefined ? {} : { silentSince }),
  }
}

/** A row of the tables: what `ls --json` has, the number of background tasks and the next wake-up. */
export const toSessionRow = (card: SessionCard): SessionRow => ({
  ...toSessionView(card),
  background: card.background?.length ?? 0,
  nextWakeUp: card.nextWakeUp ?? null,
})
