/** Identifies a folder or file on disk, whatever symbolic links, mounts or letter case lead to it. */
import { type Stats, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LoginStore } from '../../policy/independence/failureDomains.js'

export type RealStore = LoginStore & { id: string; isFolder: boolean }

/** Null if it does not exist or cannot be read. */
export function realStore(path: string): RealStore | null {
  try {
    const real = realpathSync.native(path)
    const found = statSync(real)
    return { path: real, id: idOf(found), above: idsAbove(real), isFolder: found.isDirectory() }
  } catch {
    return null
  }
}

const idOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`

function idsAbove(path: string): string[] {
  const ids: string[] = []
  for (let folder = dirname(path), below = path; folder !== below; below = folder, folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false })
    if (found !== undefined) ids.push(idOf(found))
  }
  return ids
}
