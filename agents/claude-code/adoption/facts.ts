/** What a transcript says of its conversation: folder, model and permission mode. */
import { z } from 'zod'
import { parseJson } from '../../../policy/parseJson.js'
import type { ConversationFacts } from '../../adapter/adopter.js'
import { eachLine } from '../transcript/lines.js'

const placedSchema = z.looseObject({
  cwd: z.string().min(1).max(4096),
  isSidechain: z.literal(false).optional(),
})
const modeSchema = z.looseObject({
  permissionMode: z.string().regex(/^[A-Za-z]{1,40}$/),
  isSidechain: z.literal(false).optional(),
})
const answerSchema = z.looseObject({
  type: z.literal('assistant'),
  isSidechain: z.literal(false).optional(),
  message: z.looseObject({ model: z.string().regex(/^[\w.:@/[\]-]{1,100}$/) }),
})
const commandSchema = z.looseObject({
  type: z.enum(['user', 'system']),
  message: z.looseObject({ content: z.string() }).optional(),
  content: z.string().optional(),
})

const modelCommand = /<command-name>\/model<\/command-name>/

export async function readFacts(transcript: string): Promise<ConversationFacts> {
  const facts: ConversationFacts = { cwd: null, model: null, permissionMode: null, hasChangedModel: false }
  await eachLine(transcript, 0, (line) => {
    if (!/"cwd"|"permissionMode"|"model"|\/model</.test(line)) return
    const entry = parseJson(line)
    facts.cwd = placedSchema.safeParse(entry).data?.cwd ?? facts.cwd
    facts.permissionMode = modeSchema.safeParse(entry).data?.permissionMode ?? facts.permissionMode
    facts.model = answerSchema.safeParse(entry).data?.message.model ?? facts.model
    const command = commandSchema.safeParse(entry).data
    if (modelCommand.test(command?.message?.content ?? command?.content ?? '')) facts.hasChangedModel = true
  })
  return facts
}

const timedSchema = z.looseObject({ timestamp: z.iso.datetime({ offset: true }) })

export async function offsetSince(transcript: string, instant: string): Promise<number> {
  const seen = { bytes: 0, isFound: false }
  await eachLine(transcript, 0, (line) => {
    const at = timedSchema.safeParse(parseJson(line)).data?.timestamp
    seen.isFound ||= at !== undefined && Date.parse(at) >= Date.parse(instant)
    if (!seen.isFound) seen.bytes += Buffer.byteLength(line) + 1
  })
  return seen.bytes
}
