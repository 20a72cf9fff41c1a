/** The cache of installed programs: one folder for each program and version, installed atomically. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { ownFolder } from '../../config/state/ownFile.js'
import { exclusive } from './lock.js'
import type { Program, PlatformName } from './programs.js'
import { errorCode, messageOf } from '../../policy/errorFacts.js'

/** Receives progress for a person, one line at a time. */
export type Say = (line: string) => void

/** Thrown when one way of getting a program failed; its message appears in the list of all ways. */
export class StepFailed extends Error {}

/** A program, its platform and the cache it belongs in. */
export interface InstallRequest {
  program: Program
  platform: PlatformName
  /** sha256 that the program's file must have. */
  sha256: string
  cache: string
}

const stampSchema = z.object({ sha256: z.string(), size: z.number(), mtimeMs: z.number() })

const folderOf = ({ program, platform, cache }: InstallRequest): string =>
  join(cache, 'programs', `${program.name}-${program.version}-${platform}`)

/**
 * The program in our cache, or null if there is none. Its hash is checked once; after that, its size and modification time
 * are compared with those of that check. Throws StepFailed if another file is in its place.
 */
export async function cached(wanted: InstallRequest): Promise<string | null> {
  const path = join(folderOf(wanted), wanted.program.name)
  const file = await stat(path).catch(() => null)
  if (file === null) return null
  assertOwn(wanted)
  const stampFile = join(folderOf(wanted), 'checked.json')
  const stamp = stampSchema.safeParse(
    await readFile(stampFile, 'utf8').then(
      (text): unknown => JSON.parse(text),
      () => null,
    ),
  )
  const now = { sha256: wanted.sha256, size: file.size, mtimeMs: file.mtimeMs }
  const seen = stamp.data
  if (seen?.sha256 === now.sha256 && seen.size === now.size && seen.mtimeMs === now.mtimeMs) return path
  const found = await sha256Of(path)
  if (found !== wanted.sha256) throw new StepFailed(`${path} is damaged (sha256 ${found})`)
  await writeFile(stampFile, JSON.stringify(now))
  return path
}

/** What another user could change is not run. Throws StepFailed. */
function assertOwn(wanted: InstallRequest): void {
  try {
    for (const folder of [wanted.cache, join(wanted.cache, 'programs'), folderOf(wanted)]) ownFolder(folder)
  } catch (error) {
    throw new StepFailed(`the cache cannot be used: ${messageOf(error)}`)
  }
}

/** Puts the program's file into `folder` and returns its path there. Throws StepFailed. */
export type Fetch = (wanted: InstallRequest, folder: string) => Promise<string>

/**
 * Installs the program into the cache and returns its path. `fetch` works in a temporary folder, from which the program is
 * renamed to its place after its hash was checked; a failure leaves nothing behind. Only one process at a time installs: a
 * second one waits and uses what the first one installed. Throws StepFailed.
 */
export async function install(wanted: InstallRequest, fetch: Fetch, say: Say): Promise<string> {
  const root = join(wanted.cache, 'programs')
  const target = folderOf(wanted)
  await mkdir(root, { recursive: true }).catch((error: unknown) => {
    throw new StepFailed(`the cache folder ${root} cannot be created: ${messageOf(error)}`)
  })
  const release = await exclusive(target, () =>
    say(`Another process is installing ${basename(target)}: waiting for it.`),
  ).catch((error: unknown) => {
    throw new StepFailed(`its place in the cache cannot be locked: ${messageOf(error)}`)
  })
  try {
    const there = await cached(wanted).catch(() => null)
    if (there !== null) return there
    const folder = await mkdtemp(join(root, `.new-${basename(target)}-`))
    try {
      const fetched = await fetch(wanted, folder)
      const found = await sha256Of(fetched)
      if (found !== wanted.sha256)
        throw new StepFailed(
          `wrong checksum of ${wanted.program.name}: expected sha256 ${wanted.sha256}, got ${found}`,
        )
      await chmod(fetched, 0o755)
      await mkdir(join(folder, 'whole'))
      await rename(fetched, join(folder, 'whole', wanted.program.name))
      await rm(target, { recursive: true, force: true })
      await rename(join(folder, 'whole'), target)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    const path = await cached(wanted)
    if (path === null) throw new StepFailed(`${target} vanished right after it was installed`)
    return path
  } catch (error) {
    if (isFull(error)) throw new StepFailed(`no space is left for it in ${root}`)
    throw error
  } finally {
    await release()
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')
