/** Reads a file of Outpool's own that holds JSON. */
import type { z } from 'zod'
import { parseJsonAs } from '../../policy/parseJson.js'
import { readOwnFile } from './ownFile.js'

/** Null for a file that is missing, odd, unreadable, not JSON, or from a version that wrote it differently. */
export function readJson<S extends z.ZodType>(file: string, schema: S): z.output<S> | null {
  try {
    return parseJsonAs(readOwnFile(file), schema)
  } catch {
    return null
  }
}
