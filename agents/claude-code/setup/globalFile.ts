/** `.claude.json`: read freely, changed only under the lock that the program itself takes, and never but by merging. */
import { randomBytes } from 'node:crypto'
import { chmod, open, readFile, rename, rm, stat } from 'node:fs/promises'
import lockfile from 'proper-lockfile'
import { z } from 'zod'
import type { Place } from '../../agent.js'
import { AgentFileError } from '../../errors.js'
import { globalFile, resolveRealPath } from '../paths.js'

/** Only what Outpool touches or reads; every other key passes through as it is. */
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
 * The program gives its lock back within milliseconds, but one that exits at the wrong moment leaves it behind, and a
 * rescue would wait for it. The file is only ever replaced whole, so a lock broken too early tears nothing.
 */
const staleMs = 5_000

/** A file that is missing or empty is an empty configuration. Throws AgentFileError for one that is no configuration. */
export async function readGlobalConfig(place: Place): Promise<GlobalConfig> {
  return parsed(globalFile(place))
}

/**
 * Merges `change` into the file while holding its lock. Nothing is written where `change` returns null.
 * Throws AgentFileError for a file that is no configuration, or whose lock stays taken.
 */
export async function updateGlobalConfig(
  place: Place,
  change: (config: GlobalConfig) => Partial<GlobalConfig> | null,
): Promise<void> {
  const named = globalFile(place)
  // Most launches find everything set: they need no lock and disturb nobody.
  if (change(await parsed(named)) === null) return
  const release = await lockfile
    .lock(named, {
      lockfilePath: `${named}.lock`,
      realpath: false,
      stale: staleMs,
      retries: { retries: 60, factor: 1.3, minTimeout: 10, maxTimeout: 1000 },
    })
    .catch((cause: unknown) => {
      throw new AgentFileError(named, 'can not be locked', { cause })
    })
  try {
    const config = await parsed(named)
    const changes = change(config)
    if (changes !== null) await write(resolveRealPath(named), { ...config, ...changes })
  } finally {
    await release()
  }
}

async function parsed(file: string): Promise<GlobalConfig> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw new AgentFileError(file, 'can not be read', { cause: error })
  })
  if (text.trim() === '') return {}
  try {
    return globalSchema.parse(JSON.parse(text.replace(/^\uFEFF/, '')))
  } catch (cause) {
    throw new AgentFileError(file, 'is not a configuration of the agent', { cause })
  }
}

/** A crash at any point leaves the old file or the new one, with the mode that the old one had. */
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
    throw new AgentFileError(file, 'can not be written', { cause })
  }
}

/** The lock's own mark, or null while nobody holds it. */
export async function lockMark(place: Place): Promise<string | null> {
  const found = await stat(`${globalFile(place)}.lock`).catch(() => null)
  return found === null ? null : `${found.ino} ${found.mtimeMs}`
}

/** Removes a lock that is still the one with this mark. For a lock whose only possible holder has ended. */
export async function removeLock(place: Place, mark: string): Promise<void> {
  if ((await lockMark(place)) === mark)
    await rm(`${globalFile(place)}.lock`, { recursive: true, force: true })
}
