/** Which users besides this one can change a file, as far as owners and modes tell. */
import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { isForeign, isOpenFolder, isWritableByOthers } from '../../policy/fileTrust.js'

interface WriterProblem {
  /** Begins with the path. */
  problem: string
  remedy: string
}

/**
 * Null if only this user and the system's can change what is at this path, or if nothing is there. Links are followed, because people
 * link their files. A user who can change a link, or rename a folder above the file, can put another file in its place.
 */
export function writerProblem(path: string): WriterProblem | null {
  let real: string
  let info: Stats
  try {
    real = realpathSync(path)
    info = statSync(real)
  } catch {
    return null
  }
  const uids = { own: process.getuid?.() ?? null, system: systemUid() }
  if (isForeign(info.uid, uids))
    return { problem: `${path} belongs to another user`, remedy: 'put a file of yours in its place' }
  if (info.isFile() && isWritableByOthers(info, uids))
    return { problem: `${path} can be written by other users`, remedy: `chmod go-w ${real}` }
  for (const folder of new Set([...foldersAbove(path), ...foldersAbove(real)])) {
    const above = lstatSync(folder)
    // The mode of a link says nothing, and its target is above the real file.
    const isOpen = !above.isSymbolicLink() && isOpenFolder(above.mode, uids)
    if (isForeign(above.uid, uids) || isOpen)
      return {
        problem: `${path} can be replaced by other users, who can change ${folder}`,
        remedy: `chmod o-w ${folder}, or keep the file elsewhere`,
      }
  }
  return null
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path)
  return folder === path ? [] : [folder, ...foldersAbove(folder)]
}

/** In a container, the owner of the system's files need not be number 0. */
const systemUid = (): number => statSync('/').uid
