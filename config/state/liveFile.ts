/** Files under OUTPOOL_HOME that one room writes and another reads, with their schemas. */
import { z } from 'zod'
import { readJson } from './readJson.js'
import type { Home } from './home.js'

const instant = z.iso.datetime()

export const engineSchema = z.object({
  address: z.string(),
  namespace: z.string(),
  uiUrl: z.string().nullable(),
  /** The embedded server's process, or null for an engine that the user runs. */
  pid: z.number().int().nullable(),
})
export type EngineEndpoint = z.output<typeof engineSchema>

const windowSchema = z.object({
  name: z.string(),
  used: z.number(),
  resetsAt: instant.nullable(),
  readAt: instant,
  source: z.enum(['status-line', 'usage-probe', 'config-cache', 'wall', 'transcript']),
})

export const wallSchema = z.object({
  kind: z.string(),
  scope: z.templateLiteral([z.literal('model:'), z.string()]).or(z.literal('account')),
  resetsAt: instant.nullable(),
  evidence: z.string(),
  at: instant,
})

/** What a host knows of an account (policy's AccountReading), as stored in `quota/<account>.json`. */
export const quotaSchema = z.object({
  account: z.string(),
  windows: z.array(windowSchema),
  walls: z.array(wallSchema),
  login: z.enum(['in', 'out', 'unknown']),
  loginAt: instant.nullable(),
  identity: z.string().nullable(),
  probedAt: instant.nullable(),
})

/** A page that the agent program opens at a start under an account (policy's OpenPage). */
export const pageSchema = z.object({
  cwd: z.string().nullable(),
  what: z.string(),
  remedy: z.string(),
  at: instant,
  until: instant,
})
/** What an agent asks, with the digest by which an answer says which question it is for. */
const liveQuestionSchema = z.object({
  asks: z.string(),
  digest: z.string(),
  choices: z.array(
    z.object({ n: z.number().int(), label: z.string(), says: z.string().nullable(), isOwn: z.boolean() }),
  ),
  /** Whether several choices may be given. */
  takesSeveral: z.boolean(),
})
export type LiveQuestion = z.output<typeof liveQuestionSchema>

/** The worker's current view of its host. `at` is when it last polled; if that is long ago, no worker is running. */
const liveSchema = z.object({
  at: instant,
  pid: z.number().int(),
  /** When that process started, in the format of the system. */
  start: z.string().optional(),
  sessions: z.record(
    z.string(),
    z.object({
      phase: z.enum(['working', 'idle', 'waiting']),
      waitingFor: z.string().nullable(),
      fence: z.number().int(),
      transcript: z.string().nullable().default(null),
      /** What runs in its background while it is idle. */
      background: z
        .array(z.object({ id: z.string(), kind: z.enum(['shell', 'subagent', 'other']), what: z.string() }))
        .optional(),
      /** When it plans to go on by itself. */
      nextWakeUp: instant.nullable().optional(),
      question: liveQuestionSchema.nullable().optional(),
    }),
  ),
  accounts: z.array(quotaSchema),
})
export type LiveFile = z.output<typeof liveSchema>

/** Null if there is no such file, or if it is from another version. */
export function readLive(home: Home): LiveFile | null {
  return readJson(home.liveFile, liveSchema)
}

export function readEngine(home: Home): EngineEndpoint | null {
  return readJson(home.engineFile, engineSchema)
}
