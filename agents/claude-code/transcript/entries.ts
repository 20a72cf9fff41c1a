/** The rows of a transcript that say something to Outpool. The format is internal and changes: all else is passed over. */
import { z } from 'zod'
import { parseJson } from '../../../policy/parseJson.js'

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

const blocks = z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))
const content = z.union([z.string(), blocks])

const quotaLimitsSchema = z.looseObject({
  status: z.string().optional(),
  resetsAt: z.number().positive().max(8.64e12).nullish(),
  rateLimitType: z.string().optional(),
  overageDisabledReason: z.string().nullish(),
  isUsingOverage: z.boolean().nullish(),
  overageInUse: z.boolean().nullish(),
})

/** An entry that the program made up itself because the API refused: nobody else can write this envelope. */
const apiErrorSchema = z.looseObject({
  type: z.literal('assistant'),
  isSidechain: z.literal(false).optional(),
  isApiErrorMessage: z.literal(true),
  timestamp: instant,
  error: z.string().optional(),
  apiErrorStatus: z.number().nullish(),
  apiErrorType: z
    .string()
    .nullish()
    .transform((value) => value ?? undefined),
  apiError: z
    .string()
    .nullish()
    .transform((value) => value ?? undefined),
  quotaLimits: quotaLimitsSchema.nullish().transform((value) => value ?? undefined),
  message: z.looseObject({ model: z.literal('<synthetic>'), content }),
})
export type ApiErrorEntry = z.output<typeof apiErrorSchema>

const answerSchema = z.looseObject({
  type: z.literal('assistant'),
  isSidechain: z.literal(false).optional(),
  isApiErrorMessage: z.literal(false).optional(),
  timestamp: instant,
  message: z.looseObject({
    model: z.string().refine((model) => model !== '<synthetic>'),
    content: content.optional().catch(undefined),
  }),
})

const userSchema = z.looseObject({
  type: z.literal('user'),
  isSidechain: z.literal(false).optional(),
  isMeta: z.literal(false).optional(),
  isCompactSummary: z.literal(false).optional(),
  /** Older versions do not say it. */
  origin: z.looseObject({ kind: z.literal('human') }).optional(),
  message: z.looseObject({ role: z.literal('user'), content }),
})

/** A text that was typed while the agent worked, at the moment it was handed to the agent. */
const queuedSchema = z.looseObject({
  type: z.literal('attachment'),
  isSidechain: z.literal(false).optional(),
  attachment: z.looseObject({
    type: z.literal('queued_command'),
    // Other modes are news of background tasks.
    commandMode: z.literal('prompt').optional(),
    prompt: content,
  }),
})

/** The waiting line of texts typed while the agent works. It lives in memory: what stands in it dies with the process. */
const queueSchema = z.looseObject({
  type: z.literal('queue-operation'),
  operation: z.string(),
  content: z.string().optional(),
})

const blockedText = /^UserPromptSubmit operation blocked by hook:?/

/** What the program answers where it has no command of that name. */
const unknownCommandSchema = z.looseObject({
  type: z.literal('system'),
  subtype: z.literal('informational'),
  content: z.string().regex(/^Unknown (?:command|skill): /),
})

/** What the program writes in place of a turn when a hook on UserPromptSubmit refused the prompt, which it then puts back into its input line. */
const blockedSchema = z.looseObject({
  type: z.literal('system'),
  subtype: z.literal('informational'),
  content: z.string().regex(blockedText),
  promptSubmitEnding: z
    .looseObject({ ending: z.looseObject({ reason: z.string() }) })
    .optional()
    .catch(undefined),
})

/** Each line below the first is `[command of the hook]: reason`, up to the prompt itself. */
function blockReason({ content, promptSubmitEnding }: z.output<typeof blockedSchema>): string {
  const said = content
    .split(/\n\s*Original prompt: /)[0]
    ?.replace(blockedText, '')
    .replace(/^\s*\[[^\]\n]*\]: /, '')
  return (promptSubmitEnding?.ending.reason ?? said ?? '').replaceAll(/\s+/g, ' ').trim()
}

/** What a command of the program's leaves behind: its own name, a shell command, or the cut of a compaction. */
const commandRow = /^\s*<(?:command-name|command-message|bash-input)>/
const compactionSchema = z.looseObject({ type: z.literal('system'), subtype: z.literal('compact_boundary') })

/** What the program says in a person's place begins so: news of tasks, output of commands and hooks, other sessions. */
const programText =
  /^\s*<(?:task-notification|bash-(?:input|stdout|stderr)|local-command-[a-z]+|command-(?:name|message|args)|system-reminder|user-memory-input|teammate-message|cross-session-message|channel)[\s>]/
export const isProgramText = (text: string): boolean => programText.test(text)

export type TranscriptEntry =
  | { kind: 'fault'; row: ApiErrorEntry }
  /** `text` is what it says to its user; empty for a row that only thinks or calls a tool. */
  | { kind: 'answer'; at: string; text: string }
  /** Said by a person, or in a person's place. */
  | { kind: 'prompt'; text: string }
  /** The program ran a command of its own; `refusal` is what it said where it has none of that name. */
  | { kind: 'command'; refusal: string | null }
  /** A hook refused a prompt and gave this reason. */
  | { kind: 'blocked'; reason: string }
  /** `taken` is the next one, for a turn; what `leaves` goes back into the input line, or away. */
  | { kind: 'queue'; move: 'joins' | 'taken' | 'leaves'; text: string | null }

const queueMoves: Readonly<Record<string, 'joins' | 'taken'>> = { enqueue: 'joins', dequeue: 'taken' }

/** Null for a row that says nothing of the main thread's turns, also for one that is no JSON. */
export function parseEntry(line: string): TranscriptEntry | null {
  const json = parseJson(line)
  if (json === undefined) return null
  const fault = apiErrorSchema.safeParse(json)
  if (fault.success) return { kind: 'fault', row: fault.data }
  const answer = answerSchema.safeParse(json)
  if (answer.success) {
    const { timestamp: at, message } = answer.data
    return { kind: 'answer', at, text: textOf(message.content ?? '').trim() }
  }
  const queue = queueSchema.safeParse(json).data
  if (queue !== undefined)
    return { kind: 'queue', move: queueMoves[queue.operation] ?? 'leaves', text: queue.content ?? null }
  const refused = unknownCommandSchema.safeParse(json).data
  if (refused !== undefined) return { kind: 'command', refusal: refused.content }
  const blocked = blockedSchema.safeParse(json).data
  if (blocked !== undefined) return { kind: 'blocked', reason: blockReason(blocked) }
  if (compactionSchema.safeParse(json).success) return { kind: 'command', refusal: null }
  const text = promptText(json)
  if (text === null) return null
  if (commandRow.test(text)) return { kind: 'command', refusal: null }
  return isProgramText(text) ? null : { kind: 'prompt', text }
}

/** What the program writes in a person's name when they stop a turn. */
const interruption = /^\[Request interrupted by user\b/

function promptText(json: unknown): string | null {
  const user = userSchema.safeParse(json)
  const queued = user.success ? null : queuedSchema.safeParse(json)
  const said = user.success ? user.data.message.content : queued?.data?.attachment.prompt
  if (said === undefined) return null
  if (typeof said === 'string') return interruption.test(said) ? null : said
  // Tool results come as user rows too.
  if (said.some((block) => block.type === 'tool_result')) return null
  if (!said.some((block) => block.type === 'text')) return null
  const text = textOf(said)
  return interruption.test(text) ? null : text
}

const textOf = (said: z.output<typeof content>): string =>
  typeof said === 'string'
    ? said
    : said.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join('\n')
