/**
 * What crashes leave behind under OUTPOOL_HOME, swept away by the worker: half-written files and launches that never ran.
 * Everything else there is bounded by what it is: one file for each thing that lives. Reports are the sampler's.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../config/home.js'

/** Whoever writes a file is done with it in seconds. */
const unfinishedFor = 60 * 60_000

/** Answers how many files it removed. `now`: ms since the epoch. */
export function sweep(home: Home, now: number): number {
  const isOld = (file: string): boolean => {
    const stat = statSync(file, { throwIfNoEntry: false })
    return stat?.isFile() === true && now - stat.mtimeMs > unfinishedFor
  }
  const left = [
    // The reporter's own, and those that were put aside to be read.
    ...filesIn(home.reports).filter(({ name }) => name.startsWith('.')),
    ...[home.dir, home.quota, ...foldersIn(home.sessions)]
      .flatMap(filesIn)
      .filter(({ name }) => isUnfinished.test(name)),
  ].filter(({ path }) => isOld(path))
  for (const { path } of left) rmSync(path, { force: true })
  return left.length
}

/** Of `writeFileAtomic` and of the adapters, and launch scripts, which remove themselves when they run. */
const isUnfinished = /\.\d+\.\d+\.tmp$|\.new$|^launch-\d+\.sh$/

const filesIn = (folder: string): { name: string; path: string }[] =>
  readdirSync(folder).map((name) => ({ name, path: join(folder, name) }))

const foldersIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
