/** The file by which a worker holds its home: which process watches it, of which version, and how it was started. */
import { join } from 'node:path'
import { z } from 'zod'
import { type Home, homeFolder, workerLockName } from './home.js'
import { isAlive } from './isAlive.js'
import { readJson } from './readJson.js'

const processSchema = z.object({ pid: z.number().int(), start: z.string() })

export const holderSchema = processSchema.extend({
  /** The command that started the worker, and with which it ends. */
  parent: processSchema.nullable().default(null),
  /** Of Outpool. Null for a worker that did not record it yet. */
  version: z.string().nullable().default(null),
  /** Whether a service manager started it, and starts it again when it ends. */
  isService: z.boolean().default(false),
})
export type Holder = z.output<typeof holderSchema>

/** The worker that holds this home, or held it until it was killed; null if there is none. */
export const readHolder = (home: Home): Holder | null => readJson(home.workerLock, holderSchema)

/** Null if no worker runs. Creates no folder. */
export function readRunningHolder(env: NodeJS.ProcessEnv = process.env): Holder | null {
  const holder = readJson(join(homeFolder(env), workerLockName), holderSchema)
  return holder !== null && isAlive(holder.pid, holder.start) ? holder : null
}
