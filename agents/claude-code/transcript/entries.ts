/** The transcript entries that matter to Outpool. The format is internal to the program and changes, so all others are ignored. */
import { z } from 'zod'
import { boundedText } from '../../../policy/boundedText.js'
import { parseJson } from '../../../policy/parseJson.js'

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

/** A name that the program gives to something, such as a kind of limit. */
const word = z.string().transform((text) => boundedText(text, 200))

const blocks = z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))
const content = z.union([z.string(), blocks])

const quotaLimitsSchema = z.looseObject({
  status: word.optional(),
  resetsAt: z.number().positive().max(8.64e12).nullish(),
  rateLimitType: word.optional(),
  overageDisabledReason: word.nullish(),
  isUsingOverage: z.boolean().nullish(),
  overageInUse: z.boolean().nullish(),
})

/** An entry that the program itself writes when the API refuses; no text of a model or person can look like it. */
const apiErrorSchema = z.looseObject({
  type: z.literal('assistant'),
  isSidechain: z.literal(false).optional(),
  isApiErrorMessage: z.literal(true),
  timestamp: instant,
  error: word.optional(),
  apiErrorStatus: z.number().nullish(),
  apiErrorType: word.nullish().transform((value) => value ?? undefined),
  apiError: word.nullish().transform((value) => value ?? undefined),
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
  /** Missing in older versions. */
  origin: z.looseObject({ kind: z.literal('human') }).optional(),
  message: z.looseObject({ role: z.literal('user'), content }),
})

/** A text that was typed while the agent worked, at the moment when the agent got it. */
const queuedSchema = z.looseObject({
  type: z.literal('attachment'),
  isSidechain: z.literal(false).optional(),
  attachment: z.looseObject({
    type: z.literal('queued_command'),
    // Other modes are notifications of background tasks.
    commandMode: z.literal('prompt').optional(),
    prompt: content,
  }),
})

/** The queue of texts that were typed while the agent works. It is in memory, so its texts are lost with the process. */
const queueSchema = z.looseObject({
  type: z.literal('queue-operation'),
  operation: z.string(),
  content: z.string().optional(),
})

const blockedText = /^UserPromptSubmit operation blocked by hook:?/

/** The program's answer to an unknown command. */
const unknownCommandSchema = z.looseObject({
  type: z.literal('system'),
  subtype: z.literal('informational'),
  content: z.string().regex(/^Unknown (?:command|skill): /),
})

/** The program's entry for a prompt that a hook on UserPromptSubmit refused. The program puts the prompt back into its input line. */
const blockedSchema = z.looseObject({
  type: z.literal('system'),
  subtype: z.literal('informational'),
  content: z.string().regex(blockedText),
  promptSubmitEnding: z
    .looseObject({ ending: z.looseObject({ reason: z.string() }) })
    .optional()
    .catch(undefined),
})

/**
 * The program's entry for a prompt that such a hook has stopped instead (`"continue": false`): the prompt stays in the conversation, and
 * no turn begins.
 */
const stoppedSchema = z.looseObject({
  type: z.literal('system'),
  subtype: z.literal('informational'),
  promptSubmitEnding: z.looseObject({
    ending: z.looseObject({ kind: z.literal('stopped_by_hook'), reason: z.string().optional() }),
  }),
})
export const isStoppedPrompt = (json: unknown): boolean => stoppedSchema.safeParse(json).success

/**
 * The program's entry for a turn that a hook has ended after a tool was called (`"continue": false`, and any refusal by
 * PostToolBatch). A Stop hook writes the same entry, but only after the turn's answer.
 */
const stoppedTurnSchema = z.looseObject({
  type: z.literal('attachment'),
  isSidechain: z.literal(false).optional(),
  attachment: z.looseObject({
    type: z.literal('hook_stopped_continuation'),
    hookEvent: word.refine((event) => event !== 'Stop'),
    message: z.string().optional().catch(undefined),
  }),
})
export const isStoppedTurn = (json: unknown): boolean => stoppedTurnSchema.safeParse(json).success

/** Each line below the first is `[command of the hook]: reason`, up to the prompt itself. */
function blockReason({ content, promptSubmitEnding }: z.output<typeof blockedSchema>): string {
  const said = withoutCommand(content.split(/\n\s*Original prompt: /)[0]?.replace(blockedText, '') ?? '')
  return oneLine(promptSubmitEnding?.ending.reason ?? said)
}

const withoutCommand = (text: string): string => text.replace(/^\s*\[[^\]\n]*\]: /, '')

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** The entry of a command of the program: its name, a shell command, or the boundary of a compaction. */
const commandPattern = /^\s*<(?:command-name|command-message|bash-input)>/
const compactionSchema = z.looseObject({ type: z.literal('system'), subtype: z.literal('compact_boundary') })

/** Prompts that the program itself writes begin like this: notifications, output of commands and hooks, other sessions. */
const programText =
  /^\s*<(?:task-notification|bash-(?:input|stdout|stderr)|local-command-[a-z]+|command-(?:name|message|args)|system-reminder|user-memory-input|teammate-message|cross-session-message|channel)[\s>]/
export const isProgramText = (text: string): boolean => programText.test(text)

export type TranscriptEntry =
  | { kind: 'failure'; error: ApiErrorEntry }
  /** `text` is for the user; empty for an entry that only thinks or calls a tool. */
  | { kind: 'answer'; at: string; text: string }
  /** From a person, or from Outpool in a person's place. */
  | { kind: 'prompt'; text: string }
  /** The program ran one of its commands; `refusal` is its message if the command is unknown. */
  | { kind: 'command'; refusal: string | null }
  /** A hook refused a prompt and gave this reason. `isKept`: the prompt is the entry before it. */
  | { kind: 'blocked'; reason: string; isKept: boolean }
  /** A hook of the user's ended the turn and gave this reason. `hook`: its event. */
  | { kind: 'stopped'; hook: string; reason: string }
  /** `taken`: the next text, for a turn. `leaves`: back to the input line, or deleted. */
  | { kind: 'queue'; move: 'joins' | 'taken' | 'leaves'; text: string | null }

const queueMoves: Readonly<Record<string, 'joins' | 'taken'>> = { enqueue: 'joins', dequeue: 'taken' }

/** Null for an entry that is not about the main thread's turns, and for a line that is not JSON. */
export function parseEntry(line: string): TranscriptEntry | null {
  const json = parseJson(line)
  if (json === undefined) return null
  const error = apiErrorSchema.safeParse(json).data
  if (error !== undefined) return { kind: 'failure', error }
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
  if (blocked !== undefined) return { kind: 'blocked', reason: blockReason(blocked), isKept: false }
  const stopped = stoppedSchema.safeParse(json).data
  if (stopped !== undefined)
    return { kind: 'blocked', reason: oneLine(stopped.promptSubmitEnding.ending.reason ?? ''), isKept: true }
  const ended = stoppedTurnSchema.safeParse(json).data?.attachment
  if (ended !== undefined)
    return { kind: 'stopped', hook: ended.hookEvent, reason: oneLine(withoutCommand(ended.message ?? '')) }
  if (compactionSchema.safeParse(json).success) return { kind: 'command', refusal: null }
  const text = promptText(json)
  if (text === null) return null
  if (commandPattern.test(text)) return { kind: 'command', refusal: null }
  return isProgramText(text) ? null : { kind: 'prompt', text }
}

/** The prompt that the program writes when a person interrupts a turn. */
export const interruption = /^\[Request interrupted by user\b/

function promptText(json: unknown): string | null {
  const user = userSchema.safeParse(json)
  const queued = user.success ? null : queuedSchema.safeParse(json)
  const said = user.success ? user.data.message.content : queued?.data?.attachment.prompt
  if (said === undefined) return null
  if (typeof said === 'string') return interruption.test(said) ? null : said
  // Tool results are user entries too.
  if (said.some((block) => block.type === 'tool_result')) return null
  if (!said.some((block) => block.type === 'text')) return null
  const text = textOf(said)
  return interruption.test(text) ? null : text
}

const textOf = (said: z.output<typeof content>): string =>
  typeof said === 'string'
    ? said
    : said.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join('\n')
