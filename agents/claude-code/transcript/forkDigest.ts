/** What was done on a fork: the entries that its transcript has beyond the original conversation. */
import { z } from 'zod'
import { parseJson } from '../../../policy/parseJson.js'
import type { ForkDigest } from '../../adapter/transcript.js'
import { parseEntry } from './entries.js'
import { eachLine } from './lines.js'

const entrySchema = z.looseObject({ uuid: z.string() })

/** Tools with which the model changes files. Changes by its shell commands can't be seen here. */
const editingTools = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit'])

const callsSchema = z.looseObject({
  type: z.literal('assistant'),
  message: z.looseObject({
    content: z.array(
      z.looseObject({
        type: z.string(),
        name: z.string().optional(),
        input: z
          .looseObject({ file_path: z.string().optional(), notebook_path: z.string().optional() })
          .optional()
          .catch(undefined),
      }),
    ),
  }),
})

/**
 * A fork begins as a copy of every entry, with the same ids: entries whose ids the original doesn't have are the fork's own. Null if
 * there are none, because the fork was never used.
 */
export async function readForkDigest(fork: string, original: string | null): Promise<ForkDigest | null> {
  const known = new Set<string>()
  if (original !== null) await eachLine(original, 0, (line) => void known.add(idOf(parseJson(line)) ?? ''))
  const digest: ForkDigest = { turns: [], files: [] }
  await eachLine(fork, 0, (line) => {
    const json = parseJson(line)
    const id = idOf(json)
    if (id === null || known.has(id)) return
    for (const file of filesOf(json)) if (!digest.files.includes(file)) digest.files.push(file)
    const entry = parseEntry(line)
    if (entry?.kind === 'prompt') digest.turns.push({ asked: entry.text, answered: null })
    if (entry?.kind !== 'answer' || entry.text === '') return
    const turn = digest.turns.at(-1)
    if (turn === undefined) digest.turns.push({ asked: null, answered: entry.text })
    else turn.answered = entry.text
  })
  return digest.turns.length === 0 && digest.files.length === 0 ? null : digest
}

/** Whether the transcript holds this text anywhere. */
export async function containsText(transcript: string, text: string): Promise<boolean> {
  let found = false
  await eachLine(transcript, 0, (line) => {
    found ||= line.includes(text)
  })
  return found
}

const idOf = (json: unknown): string | null => entrySchema.safeParse(json).data?.uuid ?? null

function filesOf(json: unknown): string[] {
  const content = callsSchema.safeParse(json).data?.message.content ?? []
  return content.flatMap(({ type, name, input }) => {
    const file = input?.file_path ?? input?.notebook_path
    return type === 'tool_use' && editingTools.has(name ?? '') && file !== undefined ? [file] : []
  })
}
