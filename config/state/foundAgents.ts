/** What the program `agents` prints for `outpool adopt`: agents of this host that Outpool does not keep, and stopped conversations. */
import { z } from 'zod'
import { adoptionRefusals } from '../../policy/session/adoption.js'

const instant = z.iso.datetime()

const terminalSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('tmux'),
    socket: z.string(),
    pane: z.string(),
    session: z.string(),
    window: z.number().int(),
    index: z.number().int(),
  }),
  z.object({ kind: z.literal('tty'), path: z.string() }),
])

const lossSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unseen-input') }),
  z.object({ kind: z.literal('cut-draft') }),
  z.object({ kind: z.literal('stashed-draft') }),
  z.object({ kind: z.literal('background-tasks'), tasks: z.array(z.string()) }),
  z.object({ kind: z.literal('variables'), names: z.array(z.string()) }),
  z.object({ kind: z.literal('options'), names: z.array(z.string()) }),
])

const agentSchema = z.object({
  agent: z.string(),
  pid: z.number().int(),
  /** In the format of the system: with `pid` it identifies the process. */
  start: z.string(),
  sessionId: z.string().nullable(),
  cwd: z.string(),
  configDir: z.string(),
  /** The configured account with this config dir, or null. */
  account: z.string().nullable(),
  /** That of its newest answer, or the one that it was started with. */
  model: z.string().nullable(),
  activity: z.enum(['busy', 'idle', 'waiting', 'shell']).nullable(),
  waitingFor: z.string().nullable(),
  /** Since when its activity has not changed. */
  since: instant.nullable(),
  terminal: terminalSchema.nullable(),
  refusal: z.enum(adoptionRefusals).nullable(),
  losses: z.array(lossSchema),
  /** What a session of Outpool is to be started with; null if no such option was given. */
  sessionModel: z.string().nullable(),
})
export type FoundAgent = z.output<typeof agentSchema>

const conversationSchema = z.object({
  agent: z.string(),
  sessionId: z.string(),
  /** Null if the folder in which it last worked is not known. */
  cwd: z.string().nullable(),
  configDir: z.string(),
  account: z.string().nullable(),
  model: z.string().nullable(),
  changedAt: instant,
})
export type FoundConversation = z.output<typeof conversationSchema>

/** An account that is not configured, with a name that is free. */
const offerSchema = z.object({ name: z.string(), configDir: z.string() })
export type AccountOffer = z.output<typeof offerSchema>

export const foundSchema = z.object({
  agents: z.array(agentSchema),
  /** The requested conversation, as its most recently written transcript shows it. Null if none was requested, or it was not found. */
  conversation: conversationSchema.nullable(),
  offers: z.array(offerSchema),
})
export type Found = z.output<typeof foundSchema>
