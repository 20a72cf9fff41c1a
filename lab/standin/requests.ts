/** What the stand-in records of a request, read from the wire. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { z } from 'zod'
import { parseJsonAs } from '../../policy/parseJson.js'

const blockSchema = z.looseObject({ type: z.string() })
const contentSchema = z.union([z.string(), z.array(blockSchema)])
const messageSchema = z.object({ role: z.string(), content: contentSchema })

/** One message of a conversation, as the agent program sends it. */
type ConversationMessage = z.output<typeof messageSchema>

const bodySchema = z.looseObject({
  model: z.string().optional(),
  max_tokens: z.number().optional(),
  stream: z.boolean().optional(),
  system: contentSchema.optional(),
  messages: z.array(messageSchema).default([]),
  tools: z.array(z.looseObject({ name: z.string().optional() })).optional(),
  metadata: z.looseObject({ user_id: z.string().optional() }).optional(),
})
type MessagesBody = z.output<typeof bodySchema>

/**
 * `turn`: a step of a conversation. `quota` and `title`: the small requests that the program sends by itself.
 * `count`: token counting. `other`: everything else on the base URL.
 */
export type RequestKind = 'turn' | 'quota' | 'title' | 'count' | 'other'

export type Outcome =
  | 'pending'
  | 'answered'
  | 'walled'
  | 'unauthorized'
  | 'hanging'
  | 'aborted'
  | 'broken'
  | `fault ${number}`

export interface RecordedRequest {
  /** Counts all requests from 1. */
  n: number
  at: string
  method: string
  path: string
  headers: IncomingHttpHeaders
  kind: RequestKind
  /** Name of the stand-in account, or null for a credential that belongs to none. */
  account: string | null
  credential: 'oauth' | 'api-key' | 'none'
  sessionId: string | null
  /** Whether a subagent sent it. */
  subagent: boolean
  model: string | null
  stream: boolean
  system: string
  messages: ConversationMessage[]
  tools: string[]
  /** 1 for the first answer of a conversation; counts the answers that the request already holds. */
  turn: number
  outcome: Outcome
}

/** The text of a message or system prompt: text blocks and tool results, without their frames. */
export function textOf(content: z.output<typeof contentSchema> | undefined): string {
  if (content === undefined) return ''
  if (typeof content === 'string') return content
  return content.map(blockText).filter(Boolean).join('\n')
}

function blockText(block: z.output<typeof blockSchema>): string {
  if (block.type === 'text') return typeof block['text'] === 'string' ? block['text'] : ''
  if (block.type === 'tool_use') return JSON.stringify(block['input'])
  if (block.type !== 'tool_result') return ''
  const content = contentSchema.safeParse(block['content'])
  return content.success ? textOf(content.data) : ''
}

/** The whole conversation of a request as one text, in which a test can search. */
export const conversationText = (request: RecordedRequest): string =>
  request.messages.map((message) => `${message.role}: ${textOf(message.content)}`).join('\n')

const reminder = /^\s*<(system-reminder|local-command-[a-z]+|command-[a-z]+)>/

/**
 * The texts of the user (or of Outpool on their behalf), oldest first, without the program's own reminders
 * and without tool results.
 */
export function promptsOf(request: RecordedRequest): string[] {
  return request.messages
    .filter(({ role }) => role === 'user')
    .flatMap(({ content }) =>
      typeof content === 'string'
        ? [content]
        : content.filter(({ type }) => type === 'text').map((block) => textOf([block])),
    )
    .filter((text) => !reminder.test(text))
}

/** A line that the program makes up when it resumes an interrupted turn; no model wrote it. */
const madeUpAnswer = 'No response requested.'

function countTurns(messages: ConversationMessage[]): number {
  const answers = messages.filter(
    ({ role, content }) => role === 'assistant' && textOf(content) !== madeUpAnswer,
  )
  return answers.length + 1
}

function kindOf(path: string, body: MessagesBody | null): RequestKind {
  if (path.startsWith('/v1/messages/count_tokens')) return 'count'
  if (!body || !path.startsWith('/v1/messages')) return 'other'
  if (body.max_tokens === 1 && textOf(body.messages[0]?.content) === 'quota') return 'quota'
  const system = textOf(body.system)
  if (!body.tools?.length && /title/i.test(system) && body.messages.length === 1) return 'title'
  return 'turn'
}

const userIdSchema = z.looseObject({ session_id: z.string().optional() })

function sessionIdOf(headers: IncomingHttpHeaders, body: MessagesBody | null): string | null {
  const header = headers['x-claude-code-session-id']
  if (typeof header === 'string') return header
  const userId = body?.metadata?.user_id
  if (userId === undefined) return null
  return parseJsonAs(userId, userIdSchema)?.session_id ?? null
}

/** The properties of a request. `turn` is counted from the conversation that it holds. */
export function describe(
  request: IncomingMessage,
  path: string,
  body: MessagesBody | null,
  sender: { account: string | null; credential: RecordedRequest['credential'] },
): Omit<RecordedRequest, 'n'> {
  const messages = body?.messages ?? []
  return {
    at: new Date().toISOString(),
    method: request.method ?? 'GET',
    path,
    headers: request.headers,
    kind: kindOf(path, body),
    ...sender,
    sessionId: sessionIdOf(request.headers, body),
    subagent:
      request.headers['x-claude-code-agent-id'] !== undefined ||
      /cc_is_subagent=true/.test(textOf(body?.system)),
    model: body?.model ?? null,
    stream: body?.stream ?? false,
    system: textOf(body?.system),
    messages,
    tools: (body?.tools ?? []).flatMap(({ name }) => (name === undefined ? [] : [name])),
    turn: countTurns(messages),
    outcome: 'pending',
  }
}

/** Null for a body that is not a request to the model. */
export const parseBody = (text: string): MessagesBody | null => parseJsonAs(text, bodySchema)
