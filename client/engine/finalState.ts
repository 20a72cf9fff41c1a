/** What the run of a stopped session has left, as far as a new run continues from it. */
import { WorkflowFailedError } from '@temporalio/client'
import { z } from 'zod'
import { detailsSchema, type SchemaOf } from '../../config/fleet/session.js'
import type { SessionResult, UndeliveredText } from '../../workflows/messages.js'
import type { Engine } from './engine.js'
import { handleOf } from './session.js'

const promptSchema = z.union([z.string(), z.object({ file: z.string() })])

const textSchema = z.object({
  id: z.string(),
  text: z.string().nullable(),
  command: z.boolean().optional(),
} satisfies SchemaOf<UndeliveredText>)

const releasedSchema = z.object({
  tmuxSession: z.string().nullable(),
  tmuxSocket: z.string(),
  resume: z.string(),
} satisfies SchemaOf<NonNullable<SessionResult['released']>>)

const finalStateSchema = detailsSchema.extend({
  released: releasedSchema.optional(),
  undelivered: z
    .object({ prompt: promptSchema.nullable(), texts: z.array(textSchema) } satisfies SchemaOf<
      SessionResult['undelivered']
    >)
    .default({ prompt: null, texts: [] }),
} satisfies SchemaOf<Pick<SessionResult, 'undelivered' | 'released'>>)
export type FinalState = z.output<typeof finalStateSchema>

/** The result of a stopped session's run, or null if the run was terminated. */
export async function finalState(engine: Engine, name: string): Promise<FinalState | null> {
  try {
    const result: unknown = await handleOf(engine, name).result()
    return finalStateSchema.safeParse(result).data ?? null
  } catch (error) {
    if (error instanceof WorkflowFailedError) return null
    throw error
  }
}
