/** Reads a file of Outpool's own that holds JSON. */
import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { parseJsonAs } from '../../policy/parseJson.js'

/** Null for a file that is missing, unreadable, not JSON, or from a version that wrote it differently. */
export function readJson<S extends z.ZodType>(file: string, schema: S): z.output<S> | null {
  try {
    return parseJsonAs(readFileSync(file, 'utf8'), schema)
  } catch {
    return null
  }
}
