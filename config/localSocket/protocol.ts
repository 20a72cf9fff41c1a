/**
 * What a command and the worker of its host say to each other over the local socket: JSON, one message a line. The worker greets, the
 * command asks one question, the worker answers it and closes. A question may be sent before the greeting has come.
 */
import { z } from 'zod'
import { namePattern } from '../../policy/ids.js'
import { poolSchema } from '../fleet/pool.js'
import { detailsSchema, memoSchema } from '../fleet/session.js'
import { untrustedSchema } from '../state/untrustedFolders.js'

/** Raised with each change of a message, whatever the version of the package. */
export const protocol = 2

/** What a word of a command can name. */
export const nameKinds = ['session', 'account', 'agent', 'service', 'task'] as const
export type NameKind = (typeof nameKinds)[number]

/** Bytes of a line. A greeting or a question is short; the answer about a thousand sessions takes a megabyte. */
export const maxLine = { greeting: 1_024, question: 4_096, answer: 32 * 1024 * 1024 } as const

const most = { sessions: 20_000, hosts: 1_000, names: 20_000 } as const
const instant = z.iso.datetime()
const name = z.string().regex(namePattern)

/** Only a worker of the same version, and of the same home, is believed: another one may mean something else by the same words. */
export const greetingSchema = z.object({ outpool: z.string(), protocol: z.number().int(), host: z.string() })
export type Greeting = z.output<typeof greetingSchema>

export const questionSchema = z.discriminatedUnion('ask', [
  /** Running sessions, and those that stopped since then. */
  z.object({ ask: z.literal('sessions'), closedSince: instant.or(z.literal('ever')) }),
  z.object({ ask: z.literal('session'), name }),
  z.object({ ask: z.literal('pool'), pool: z.string().max(64) }),
  z.object({ ask: z.literal('names'), of: z.enum(nameKinds) }),
  /** Whether an agent may work in this folder, of which the command has the whole path. */
  z.object({ ask: z.literal('untrusted'), folder: z.string() }),
])
export type Question = z.output<typeof questionSchema>

const listedSchema = z.object({
  card: memoSchema,
  running: z.boolean(),
  since: z.coerce.date(),
  endedAt: z.coerce.date().nullable(),
})

/** By host: ms since the epoch. */
const heardSchema = z
  .record(z.string(), z.number())
  .refine((heard) => Object.keys(heard).length <= most.hosts)

const answers = {
  sessions: z.object({ listed: z.array(listedSchema).max(most.sessions), heard: heardSchema }),
  /** `found` is null if there is no session of this name. */
  session: z.object({
    found: z.object({ listed: listedSchema, details: detailsSchema.nullable() }).nullable(),
    heard: heardSchema,
  }),
  /** Null if the pool was never set up, or does not answer. */
  pool: z.object({ pool: poolSchema.nullable() }),
  names: z.object({ names: z.array(name).max(most.names) }),
  untrusted: z.object({ untrusted: untrustedSchema }),
} satisfies Record<Question['ask'], z.ZodType>

/** The answer to each question. In its place, null says that the worker can't answer now, and that the engine has to be asked. */
export type Answers = { [Ask in Question['ask']]: z.output<(typeof answers)[Ask]> }
export const answerSchemas: { [Ask in keyof Answers]: z.ZodType<Answers[Ask]> } = answers
