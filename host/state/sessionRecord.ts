/** What the record of one session holds. */
import { z } from 'zod'

const placeSchema = z.object({ kind: z.enum(['account', 'substrate']), name: z.string() })

const processSchema = z.object({ pid: z.number().int(), start: z.string() })

const launchSchema = z.object({
  fence: z.number().int(),
  place: placeSchema,
  agent: z.string(),
  sessionId: z.string(),
  cwd: z.string(),
  /** Set once the process runs. */
  process: processSchema.nullable(),
  transcriptFrom: z.number().int(),
  /** Fingerprint of the prompt that was submitted with it, or null. */
  prompt: z.string().nullable().default(null),
  /** When the conversation was forked; earlier entries are copies from the original. Null if it is not a fork. */
  forkedAt: z.string().nullable().default(null),
})
export type LaunchRecord = z.output<typeof launchSchema>

const deliverySchema = z.object({
  /** The adapter's fingerprint of the text. */
  print: z.string(),
  /** The conversation that it was typed into: an offset means nothing in the transcript of another one. */
  conversation: z.string().default(''),
  /** Size of the transcript when the text was first typed, and when it was last typed; bytes. */
  from: z.number().int(),
  mark: z.number().int(),
  /** The launch to whose process it was typed. */
  fence: z.number().int(),
  /** How often it was typed to that process. */
  typed: z.number().int(),
  /** How often Enter was pressed since it was last typed. */
  entered: z.number().int(),
  /** When Outpool first pressed Enter, and when it last pressed a key; ms since the epoch. */
  enteredAt: z.number().nullable(),
  keyAt: z.number(),
  /** The agent has it. */
  taken: z.boolean(),
})
/** The state of the delivery of one text. */
export type DeliveryRecord = z.output<typeof deliverySchema>
/** Where a conversation was last written, and how far. */
const progressSchema = z.object({
  transcript: z.string(),
  bytes: z.number().int(),
  newest: z.object({ id: z.string(), at: z.string().nullable() }),
  /** Whether the process that wrote it had ended by then, so that nothing was written since. */
  isLast: z.boolean(),
})
export type ConversationProgress = z.output<typeof progressSchema>

export const recordSchema = z.object({
  /** Newest last. Reports of older launches are attributed with it. */
  launches: z.array(launchSchema),
  /** Launches up to this fence stay stopped. */
  stoppedUpTo: z.number().int(),
  /** The process that a person got back: no step touches it any more. */
  released: processSchema.nullable().default(null),
  /** Fence of the newest launch for which a failback was requested. */
  failbackRequestedFor: z.number().int().default(0),
  /** Forks whose work has to be handed over, and the conversation to which. */
  forks: z.array(z.object({ id: z.string(), to: z.string(), agent: z.string() })).default([]),
  /** Texts that were typed, by message id; the newest last. */
  deliveries: z.record(z.string(), deliverySchema),
  /** Progress of conversations, by their ids. They are found with it, even if the configuration no longer names their place. */
  traces: z.record(z.string(), progressSchema).default({}),
})
export type SessionRecord = z.output<typeof recordSchema>
export type ForkRecord = SessionRecord['forks'][number]

/** The record for a new process: text that was typed to the previous one without effect was lost with it. */
export const resetForLaunch = (one: DeliveryRecord, fence: number): DeliveryRecord => ({
  ...one,
  fence,
  typed: 0,
  entered: 0,
  enteredAt: null,
})
