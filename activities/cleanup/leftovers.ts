/** Removes what crashes leave under OUTPOOL_HOME: half-written files and launch scripts that never ran. The sampler removes reports. */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../../config/state/home.js'
import { listEntries, listFolderPaths } from './entries.js'

/** Writing a file takes seconds. */
const unfinishedAfter = 60 * 60_000

/** Returns how many files it removed. `now`: ms since the epoch. */
export function removeLeftovers(home: Home, now: number): number {
  const isOld = (file: string): boolean => {
    const stat = statSync(file, { throwIfNoEntry: false })
    return stat?.isFile() === true && now - stat.mtimeMs > unfinishedAfter
  }
  const folders = [
    ...[home.dir, home.quota, home.incidents, join(home.incidents, 'wake-up'), join(home.dir, 'drills')],
    ...[home.sessions, home.services].flatMap(listFolderPaths),
    ...listFolderPaths(home.tasks).flatMap((folder) => [folder, join(folder, 'results')]),
  ]
  const leftovers = [
    // Reports that were being written, and reports that were renamed to be read.
    ...listEntries(home.reports).filter(({ name }) => name.startsWith('.')),
    ...folders.flatMap(listEntries).filter(({ name }) => isUnfinished.test(name)),
  ].filter(({ path }) => isOld(path))
  for (const { path } of leftovers) rmSync(path, { force: true })
  return leftovers.length
}

/** Temporary files of `writeFileAtomic` and of the adapters, and launch scripts, which remove themselves when they run. */
const isUnfinished = /\.\d+\.\d+\.tmp$|\.new$|^launch-\d+\.sh$/
