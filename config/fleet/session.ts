/** What the engine and a session's workflow say of a session, as the command and the worker read it. */
import { z } from 'zod'
import {
  phases,
  rescueCauses,
  type RescueEntry,
  type RescueStep,
  type SessionDetails,
  type SessionMemo,
} from '../../policy/session/session.js'

const maybe = z.string().nullable().default(null)

/** Names every key of T, and no other: a schema that misses one does not compile. */
export type SchemaOf<T> = Record<keyof T, z.ZodType>

export const memoSchema = z.object({
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
export const detailsSchema = memoSchema.extend({ rescueLog: z.array(rescueSchema) } satisfies SchemaOf<
  Omit<SessionDetails, keyof SessionMemo>
>)
export type SessionDescription = z.output<typeof detailsSchema>

/** A session, and whether its run is open. */
export interface ListedSession {
  card: SessionMemo
  running: boolean
  /** When its newest run began. */
  since: Date
  /** When that run ended; null while it is open. */
  endedAt: Date | null
}

/** One session: what the engine's list says of it, and what its workflow does. */
export interface FoundSession {
  listed: ListedSession
  /** Null if no worker answered, or if the run was terminated. */
  details: SessionDescription | null
}

/** When the worker of each other host was last heard of, by this host's clock: ms since the epoch. */
export type HeardAt = Readonly<Record<string, number>>
