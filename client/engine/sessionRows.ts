/** Sessions as the engine keeps them: the memo of each run, laid under what this host's worker sees right now. */
import type { WorkflowExecutionInfo } from '@temporalio/client'
import { z } from 'zod'
import type { Home } from '../../config/state/home.js'
import type { LiveQuestion, LiveFile } from '../../config/state/liveFile.js'
import type { RunningTask } from '../../policy/session/backgroundTasks.js'
import {
  type SessionDetails,
  type SessionRow,
  type SessionView,
  phases,
} from '../../policy/session/session.js'
import { questionAttention } from '../../policy/session/question.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import { sessionMemo } from '../../workflows/messages.js'
import type { Engine } from './engine.js'

const maybe = z.string().nullable().default(null)

/** What the memo holds: SessionDetails without its rescue log; and what this host's worker sees beside it. */
export interface SessionCard extends Omit<SessionDetails, 'rescueLog'>, LiveExtras {}

interface LiveExtras {
  background?: RunningTask[]
  question?: LiveQuestion | null
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
})

const stepSchema = z.object({ name: z.string(), ms: z.number(), fault: z.string().optional() })

const rescueSchema = z.object({
  n: z.number().int(),
  cause: z.enum(['wall', 'near-limit', 'login', 'crash', 'move', 'home', 'wake']),
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
})
export type RescueRow = z.output<typeof rescueSchema>

/** The answer of the workflow's own `describe` query. */
export const detailsSchema = cardSchema.extend({ rescueLog: z.array(rescueSchema) })
export type SessionDescription = z.output<typeof detailsSchema>

const promptSchema = z.union([z.string(), z.object({ file: z.string() })])

/** The result of the workflow. */
export const finalStateSchema = detailsSchema.extend({
  unsaid: z
    .object({
      prompt: promptSchema.nullable(),
      texts: z.array(
        z.object({ id: z.string(), text: z.string().nullable(), command: z.boolean().optional() }),
      ),
    })
    .default({ prompt: null, texts: [] }),
})
export type FinalState = z.output<typeof finalStateSchema>

/** A session with what the engine says of its run. */
export interface ListedSession {
  card: SessionCard
  running: boolean
  /** When its newest run began. */
  since: Date
}

const idPrefix = sessionWorkflowId('')

/** One call to the engine. Without `closedSince` only running ones; else also those that closed since. Sorted by name. */
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

/** A run without a memo that we can read: its name is all that is sure. */
function blankCard(run: Pick<WorkflowExecutionInfo, 'workflowId' | 'startTime'>): SessionCard {
  return {
    ...{ name: run.workflowId.slice(idPrefix.length), phase: 'starting', account: null, substrate: null },
    ...{ agent: '', sessionId: '', cwd: '', host: '', pane: null, model: null, rescues: 0 },
    ...{
      walledUntil: null,
      parkedUntil: null,
      attention: null,
      why: null,
      nextWakeUp: null,
      tmuxSocket: null,
      pid: null,
      transcript: null,
    },
    ...{ fork: null, untoldForks: [], models: [], fallback: null, pinnedTo: null, priority: 0, since: null },
    startedAt: run.startTime.toISOString(),
  }
}

/** Older than this, and nobody is looking: the worker writes several times in it. */
const liveForMs = 30_000

export const isFresh = (live: LiveFile | null, now: Date): boolean =>
  live !== null && now.getTime() - Date.parse(live.at) <= liveForMs

const liveFields = new Set(['working', 'idle', 'waiting'])

/** The worker's own eyes know a turn's begin and end; the workflow does not hear of those. */
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
  // A dialog that is over needs nobody; other trouble is not over by the next turn's beginning.
  const told = card.phase === 'waiting' && seen.phase !== 'waiting' ? null : card.attention
  const attention = seen.phase === 'waiting' ? (told ?? asked) : told
  const { background = [], question = null } = seen
  const wakeUps = [card.nextWakeUp, seen.nextWakeUp].filter((at) => typeof at === 'string')
  const nextWakeUp = wakeUps.sort().at(0) ?? null
  const transcript = card.transcript ?? seen.transcript
  return { ...card, phase: seen.phase, attention, transcript, nextWakeUp, background, question }
}

/** A row of `ls --json`, with nothing that the contract does not name. */
export function toSessionView(card: SessionView): SessionView {
  const { name, phase, account, substrate, agent, sessionId, cwd, host, pane, model, rescues } = card
  const { walledUntil, parkedUntil, attention } = card
  return {
    ...{ name, phase, account, substrate, agent, sessionId, cwd, host, pane, model, rescues },
    ...{ walledUntil, parkedUntil, attention },
  }
}

/** A row of the tables: what `ls --json` has, and what goes on beside its turns. */
export const toSessionRow = (card: SessionCard): SessionRow => ({
  ...toSessionView(card),
  background: card.background?.length ?? 0,
  nextWakeUp: card.nextWakeUp ?? null,
})
