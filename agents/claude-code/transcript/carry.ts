/** Carries a conversation from one config dir to another. The source is never changed: it is the last fallback. */
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Place } from '../../adapter/place.js'
import { CarryError } from '../../errors.js'
import { carryFile, compare, CopyDiffers, setAside, SourceChanged } from './carryFile.js'
import { projectsFolder, resolveRealPath } from '../paths.js'
import { transcriptsOf } from './transcript.js'
import { messageOf } from '../../../policy/errorFacts.js'

/** Further folders that belong to a conversation: for /rewind, the task list and pasted images. */
export const companions = ['file-history', 'tasks', 'image-cache']

/** A process that ends may still write its last entries; after this many attempts it is not ending. */
const triesMax = 5
const retryPauseMs = 200

/**
 * Copies the transcript last: once it exists, the copy is complete. Files of the old place that the transcript names by absolute
 * path (large tool results) stay there and stay readable. Throws CarryError; each file is then in its old or new state, and the
 * next call continues from there.
 */
export async function carry(input: {
  sessionId: string
  from: Place
  to: Place
}): Promise<{ transcript: string; bytes: number }> {
  const { sessionId, from, to } = input
  const [source] = await transcriptsOf(from, sessionId)
  if (source === undefined)
    throw new CarryError(
      sessionId,
      `${from.name} has no transcript of it under ${projectsFolder(from)}`,
      'Look for <id>.jsonl in the other config dirs; a session that never had a prompt has none and can be started again.',
    )
  const folder = join(projectsFolder(to), basename(dirname(source)))
  const target = join(folder, basename(source))
  try {
    await retryWhileChanging(async () => {
      await carryFolder(join(dirname(source), sessionId), join(folder, sessionId))
      for (const name of companions)
        await carryFolder(join(from.configDir, name, sessionId), join(to.configDir, name, sessionId))
      await carryFile(source, target)
    })
    await removeOthers(to, sessionId, target)
    return { transcript: resolveRealPath(target), bytes: (await stat(target)).size }
  } catch (cause) {
    throw carryError(sessionId, target, cause)
  }
}

/** Repeats the work while the source still changes. */
async function retryWhileChanging(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await work()
      return
    } catch (error) {
      if (!(error instanceof SourceChanged) || tries === triesMax) throw error
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs))
    }
  }
}

/** Files that only the target has stay. Links are not followed. */
async function carryFolder(source: string, target: string): Promise<void> {
  if (resolveRealPath(source) === resolveRealPath(target)) return
  const entries = await readdir(source, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (entry.isDirectory()) await carryFolder(from, to)
    else if (entry.isFile() && !entry.name.includes('.kept-')) await carryFile(from, to)
  }
}

/** The program does not find a conversation that is in two project folders, so other copies are removed, or set aside if needed. */
async function removeOthers(to: Place, sessionId: string, target: string): Promise<void> {
  for (const other of await transcriptsOf(to, sessionId)) {
    if (resolveRealPath(other) === resolveRealPath(target)) continue
    const relation = await compare(target, other)
    if (relation === 'diverged' || relation === 'ahead') await setAside(other)
    await rm(other)
  }
}

function carryError(sessionId: string, target: string, cause: unknown): CarryError {
  if (cause instanceof SourceChanged)
    return new CarryError(
      sessionId,
      'it is still being written to',
      'Stop the process that writes to it, then try again.',
      { cause },
    )
  if (cause instanceof CopyDiffers)
    return new CarryError(
      sessionId,
      `the copy differs from what was written: ${cause.message}`,
      'Check the disk of the target folder.',
      { cause },
    )
  const what = messageOf(cause)
  return new CarryError(
    sessionId,
    `${target}: ${what}`,
    'Make room and check the permissions of the target folder, then try again.',
    { cause },
  )
}
