/** Lists folders and their entries. Each may be missing, or vanish meanwhile. */
import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Entry {
  name: string
  path: string
}

export const listEntries = (folder: string): Entry[] => read(folder).map((entry) => toEntry(folder, entry))

export const listFolderPaths = (folder: string): string[] => listFolders(folder).map(({ path }) => path)

export const listFolders = (folder: string): Entry[] =>
  read(folder)
    .filter((entry) => entry.isDirectory())
    .map((entry) => toEntry(folder, entry))

/**
 * When the file, or any file in the folder, was last written, in ms since the epoch; 0 if it does not exist. A folder's own
 * time counts only if the folder is empty, because removing a file changes it too. Links are not followed.
 */
export function lastChangedAt(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  const inside = stat?.isDirectory() === true ? listEntries(path) : []
  if (inside.length === 0) return stat?.mtimeMs ?? 0
  return Math.max(...inside.map((entry) => lastChangedAt(entry.path)))
}

const toEntry = (folder: string, { name }: Dirent): Entry => ({ name, path: join(folder, name) })

function read(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
