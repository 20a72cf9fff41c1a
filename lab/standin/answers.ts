/** What the stand-in's model answers, and how the real API puts it on the wire. */
import { randomUUID } from 'node:crypto'
import type { Breakage, Fault, FaultName } from './faults.js'
import type { WallKind } from './limits.js'
import type { RecordedRequest } from './requests.js'

export interface ToolCall {
  name: string
  input: Record<string, unknown>
}

export interface Answer {
  text?: string
  /** Called by the agent program; the results are in its next request. */
  tools?: ToolCall[]
  /** Delay before the first byte, in milliseconds. */
  delayMs?: number
  /** Instead of an answer. */
  fault?: FaultName | Fault
  breakage?: Breakage
  /** Refuses this one request for a plan limit; `account.wall` refuses all that follow. */
  wall?: { kind: WallKind; resetsAt: Date | null; headers?: Record<string, string> }
}

/** `turn` is 1 for the first answer of a conversation. */
export type Answerer = (ask: {
  request: RecordedRequest
  turn: number
  account: string
}) => Answer | string | Promise<Answer | string>

/** One entry for each answer of a conversation, counted by what the conversation already holds; then the default. */
export type Script = readonly (Answer | string)[]

export const defaultAnswer: Answerer = ({ turn }) => `Answer ${turn} of this conversation.`

const scripted =
  (script: Script): Answerer =>
  (ask) =>
    script[ask.turn - 1] ?? defaultAnswer(ask)

export function answererOf(answer: Answerer | Script | Answer | string | null): Answerer | null {
  if (answer === null || typeof answer === 'function') return answer
  if (typeof answer === 'string') return () => answer
  if (isScript(answer)) return scripted(answer)
  return () => answer
}

const isScript = (answer: Script | Answer): answer is Script => Array.isArray(answer)

type Block = { type: 'text'; text: string } | ({ type: 'tool_use'; id: string } & ToolCall)

export interface Message {
  id: string
  model: string
  blocks: Block[]
  stopReason: 'end_turn' | 'tool_use'
  usage: { input_tokens: number; output_tokens: number }
}

const tokens = (text: string): number => Math.max(1, Math.ceil(text.length / 4))

export function messageOf(answer: Answer, request: RecordedRequest): Message {
  const blocks: Block[] = []
  if (answer.text !== undefined) blocks.push({ type: 'text', text: answer.text })
  for (const tool of answer.tools ?? [])
    blocks.push({ type: 'tool_use', id: `toolu_${randomUUID().replaceAll('-', '').slice(0, 24)}`, ...tool })
  return {
    id: `msg_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
    model: request.model ?? 'claude-stand-in',
    blocks,
    stopReason: answer.tools?.length ? 'tool_use' : 'end_turn',
    usage: {
      input_tokens: tokens(JSON.stringify(request.messages)),
      output_tokens: tokens(JSON.stringify(blocks)),
    },
  }
}

const frame = (message: Message): Record<string, unknown> => ({
  id: message.id,
  type: 'message',
  role: 'assistant',
  model: message.model,
})

const usage = (message: Message): Record<string, unknown> => ({
  ...message.usage,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  service_tier: 'standard',
})

/** The body of an answer that is not streamed. */
export const wholeBody = (message: Message): Record<string, unknown> => ({
  ...frame(message),
  content: message.blocks,
  stop_reason: message.stopReason,
  stop_sequence: null,
  usage: usage(message),
})

const event = (type: string, data: Record<string, unknown>): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

/** The server-sent events of an answer, in order. */
export function* streamEvents(message: Message): Generator<string> {
  yield event('message_start', {
    message: {
      ...frame(message),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: usage(message),
    },
  })
  for (const [index, block] of message.blocks.entries()) {
    if (block.type === 'text') {
      yield event('content_block_start', { index, content_block: { type: 'text', text: '' } })
      yield event('content_block_delta', { index, delta: { type: 'text_delta', text: block.text } })
    } else {
      const { input, ...rest } = block
      yield event('content_block_start', { index, content_block: { ...rest, input: {} } })
      const delta = { type: 'input_json_delta', partial_json: JSON.stringify(input) }
      yield event('content_block_delta', { index, delta })
    }
    yield event('content_block_stop', { index })
  }
  yield event('message_delta', {
    delta: { stop_reason: message.stopReason, stop_sequence: null },
    usage: { output_tokens: message.usage.output_tokens },
  })
  yield event('message_stop', {})
}
