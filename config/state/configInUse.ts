/** Which configuration the worker of a home uses, and why it does not use a newer one: commands beside it use the same file. */
import { join } from 'node:path'
import { z } from 'zod'
import { homeFolder } from './home.js'
import { isAlive } from './isAlive.js'
import { readJson } from './readJson.js'

const instant = z.iso.datetime()

const configInUseSchema = z.object({
  /** The worker's process. */
  pid: z.number().int(),
  /** When it started, as `isAlive` compares it; null if the system does not say. */
  start: z.string().nullable().default(null),
  file: z.string(),
  /** Whether it is used only with the content that a person trusts. */
  byContent: z.boolean(),
  /** Of the text that is in use. */
  digest: z.string(),
  /** Of its timing, which sessions keep in their own state. */
  timing: z.string(),
  takenAt: instant,
  /** A newer text that is not in use, and why; `problem` is one line. */
  kept: z.object({ digest: z.string(), at: instant, problem: z.string() }).nullable(),
})
export type ConfigInUse = z.output<typeof configInUseSchema>

const nameInHome = 'config.json'

/** As the last worker of this home wrote it, whether or not it still runs. */
export const readLastConfig = (folder: string): ConfigInUse | null =>
  readJson(join(folder, nameInHome), configInUseSchema)

/** Null if no worker runs. Creates no folder. */
export function readConfigInUse(env: NodeJS.ProcessEnv = process.env): ConfigInUse | null {
  const known = readLastConfig(homeFolder(env))
  return known !== null && isAlive(known.pid, known.start) ? known : null
}
