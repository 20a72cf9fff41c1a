/** JSON from outside: files, transcripts, the output of programs. It may be cut off, or may not be JSON at all. */
import type { z } from 'zod'

/** The parsed value, not checked yet; undefined for a text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Null for a text that is not JSON, or does not fit the schema. */
export const parseJsonAs = <S extends z.ZodType>(text: string, schema: S): z.output<S> | null =>
  schema.safeParse(parseJson(text)).data ?? null
