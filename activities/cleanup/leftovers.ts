/** What crashes leave behind under OUTPOOL_HOME: half-written files, and launches that never ran. Reports are the sampler's. */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../../config/state/home.js'
import { listEntries, listFolderPaths } from './entries.js'

/** Whoever writes a file is done with it in seconds. */
const unfinishedAfter = 60 * 60_000

/** Answers how many files it removed. `now`: ms since the epoch. */
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
    // The reporter's own, and those that were put aside to be read.
    ...listEntries(home.reports).filter(({ name }) => name.startsWith('.')),
    ...folders.flatMap(listEntries).filter(({ name }) => isUnfinished.test(name)),
  ].filter(({ path }) => isOld(path))
  for (const { path } of leftovers) rmSync(path, { force: true })
  return leftovers.length
}

/** Of `writeFileAtomic` and of the adapters, and launch scripts, which remove themselves when they run. */
const isUnfinished = /\.\d+\.\d+\.tmp$|\.new$|^launch-\d+\.sh$/
