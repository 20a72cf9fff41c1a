/** `.claude.json`: read without a lock, changed only by merging under the lock that the program itself uses. */
import { randomBytes } from 'node:crypto'
import { chmod, open, rename, rm, stat } from 'node:fs/promises'
import lockfile from 'proper-lockfile'
import { z } from 'zod'
import type { Place } from '../../adapter/place.js'
import { AgentFileError } from '../../errors.js'
import { readRegular } from '../../files.js'
import { globalFile, resolveRealPath } from '../paths.js'
import { errorCode } from '../../../policy/errorFacts.js'

/** Only the keys that Outpool uses; all others stay as they are. */
const globalSchema = z.looseObject({
  hasCompletedOnboarding: z.boolean().optional(),
  resumeReturnDismissed: z.boolean().optional(),
  projects: z.record(z.string(), z.looseObject({})).optional(),
  customApiKeyResponses: z
    .looseObject({ approved: z.array(z.string()).optional(), rejected: z.array(z.string()).optional() })
    .optional(),
  oauthAccount: z.unknown().optional(),
  cachedUsageUtilization: z.unknown().optional(),
})
export type GlobalConfig = z.output<typeof globalSchema>

/**
 * The program releases its lock within milliseconds, but a process that exits at the wrong moment leaves it behind, and a rescue
 * would wait for it. Breaking a lock too early is safe, because the file is only ever replaced as a whole.
 */
const staleMs = 5_000

/** A missing or empty file is an empty configuration. Throws AgentFileError for an invalid one. */
export async function readGlobalConfig(place: Place): Promise<GlobalConfig> {
  return parseFile(globalFile(place))
}

/**
 * Merges `change` into the file while holding its lock. Writes nothing if `change` returns null.
 * Throws AgentFileError for an invalid file, or if the lock stays held.
 */
export async function updateGlobalConfig(
  place: Place,
  change: (config: GlobalConfig) => Partial<GlobalConfig> | null,
): Promise<void> {
  const named = globalFile(place)
  // Most launches have nothing to change, and need no lock.
  if (change(await parseFile(named)) === null) return
  const release = await lockfile
    .lock(named, {
      lockfilePath: `${named}.lock`,
      realpath: false,
      stale: staleMs,
      retries: { retries: 60, factor: 1.3, minTimeout: 10, maxTimeout: 1000 },
    })
    .catch((cause: unknown) => {
      throw new AgentFileError(named, 'cannot be locked', { cause })
    })
  try {
    const config = await parseFile(named)
    const changes = change(config)
    if (changes !== null) await write(resolveRealPath(named), { ...config, ...changes })
  } finally {
    await release()
  }
}

async function parseFile(file: string): Promise<GlobalConfig> {
  const text = await readRegular(file).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return ''
    throw new AgentFileError(file, 'cannot be read', { cause: error })
  })
  if (text.trim() === '') return {}
  try {
    return globalSchema.parse(JSON.parse(text.replace(/^\uFEFF/, '')))
  } catch (cause) {
    throw new AgentFileError(file, 'is not a configuration of the agent', { cause })
  }
}

/** After a crash there is the old file or the new one. The mode of the old one is kept. */
async function write(file: string, config: GlobalConfig): Promise<void> {
  const fresh = `${file}.outpool-${randomBytes(6).toString('hex')}`
  const mode = (await stat(file).catch(() => null))?.mode ?? 0o600
  try {
    const handle = await open(fresh, 'wx', 0o600)
    try {
      await handle.writeFile(`${JSON.stringify(config, null, 2)}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(fresh, mode & 0o777)
    await rename(fresh, file)
  } catch (cause) {
    await rm(fresh, { force: true })
    throw new AgentFileError(file, 'cannot be written', { cause })
  }
}

/** Identifies the present lock; null if there is none. */
export async function lockMark(place: Place): Promise<string | null> {
  const found = await stat(`${globalFile(place)}.lock`).catch(() => null)
  return found === null ? null : `${found.ino} ${found.mtimeMs}`
}

/** Removes the lock if it still has this mark. To be used when its only possible holder has ended. */
export async function removeLock(place: Place, mark: string): Promise<void> {
  if ((await lockMark(place)) === mark)
    await rm(`${globalFile(place)}.lock`, { recursive: true, force: true })
}
