/** Reads the tokens that a conversation and its subagents have used, which the program writes with each answer. */
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { FileTokenUsage, TokenUsage } from '../../adapter/transcript.js'
import { eachLine } from './lines.js'

const tokens = z.number().nonnegative().nullish()

const usedSchema = z.looseObject({
  type: z.literal('assistant'),
  isApiErrorMessage: z.literal(false).optional(),
  timestamp: z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString()),
  message: z.looseObject({
    id: z.string(),
    model: z.string().refine((model) => model !== '<synthetic>'),
    usage: z.looseObject({
      input_tokens: tokens,
      output_tokens: tokens,
      cache_read_input_tokens: tokens,
      cache_creation_input_tokens: tokens,
    }),
  }),
})

/** `marks`: how far each file was read before, in bytes. */
export async function readTokenUsage(
  transcript: string,
  marks: Readonly<Record<string, number>>,
): Promise<FileTokenUsage[]> {
  const files: FileTokenUsage[] = []
  for (const file of [transcript, ...(await subagentsOf(transcript))]) {
    const used: TokenUsage[] = []
    const mark = await eachLine(file, marks[file] ?? 0, (line) => {
      const entry = parseUsage(line)
      if (entry !== null) used.push(entry)
    })
    files.push({ file, mark, used })
  }
  return files
}

async function subagentsOf(transcript: string): Promise<string[]> {
  const folder = join(dirname(transcript), basename(transcript, '.jsonl'), 'subagents')
  const files = await readdir(folder).catch(() => [])
  return files.filter((file) => file.endsWith('.jsonl')).map((file) => join(folder, file))
}

function parseUsage(line: string): TokenUsage | null {
  const entry = parseJsonAs(line, usedSchema)
  if (entry === null) return null
  const { id, model, usage } = entry.message
  return {
    id,
    at: entry.timestamp,
    model,
    input: usage.input_tokens ?? 0,
    output: usage.output_tokens ?? 0,
    cacheRead: usage.cache_read_input_tokens ?? 0,
    cacheWrite: usage.cache_creation_input_tokens ?? 0,
  }
}
