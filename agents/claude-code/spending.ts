/** What a conversation has cost so far, by the model's own count in the transcript. */
import { z } from 'zod'
import type { Spending } from '../agent.js'
import { eachLine } from './transcriptLines.js'

const count = z.number().nonnegative().catch(0)

/** Subagents' answers cost the same, so their rows count as well. */
const answerSchema = z.looseObject({
  type: z.literal('assistant'),
  message: z.looseObject({
    id: z.string(),
    model: z.string().refine((model) => model !== '<synthetic>'),
    usage: z.looseObject({ input_tokens: count, output_tokens: count, cache_creation_input_tokens: count }),
  }),
})

/** One answer is written in several rows, one for each block; the newest has the whole count. */
export async function spending(transcript: string): Promise<Spending> {
  const byAnswer = new Map<string, number>()
  await eachLine(transcript, 0, (line) => {
    const row = answerSchema.safeParse(parsed(line)).data
    if (row === undefined) return
    const { input_tokens, output_tokens, cache_creation_input_tokens } = row.message.usage
    byAnswer.set(row.message.id, input_tokens + output_tokens + cache_creation_input_tokens)
  })
  const tokens = [...byAnswer.values()].reduce((sum, one) => sum + one, 0)
  return { answers: byAnswer.size, tokens }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
