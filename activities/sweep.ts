/**
 * What crashes leave behind under OUTPOOL_HOME, swept away by the worker: half-written files, launches that never ran,
 * reports that nobody wants any more. Everything else there is bounded by what it is: one file for each thing that lives.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../config/home.js'

/** Whoever writes a file is done with it in seconds. */
const unfinishedFor = 60 * 60_000
/** A report is taken within a minute by a worker that runs; after a day without one its session has moved on. */
const reportFor = 24 * 60 * 60_000

/** Answers how many files it removed. `now`: ms since the epoch. */
export function sweep(home: Home, now: number): number {
  const isOlder = (file: string, ms: number): boolean => {
    const stat = statSync(file, { throwIfNoEntry: false })
    return stat?.isFile() === true && now - stat.mtimeMs > ms
  }
  const reports = filesIn(home.reports).filter((file) =>
    isOlder(file.path, file.name.startsWith('.') ? unfinishedFor : reportFor),
  )
  const written = [home.dir, home.quota, ...foldersIn(home.sessions)]
    .flatMap(filesIn)
    .filter(({ name, path }) => isUnfinished.test(name) && isOlder(path, unfinishedFor))
  for (const { path } of [...reports, ...written]) rmSync(path, { force: true })
  return reports.length + written.length
}

/** Of `writeFileAtomic` and of the adapters, and launch scripts, which remove themselves when they run. */
const isUnfinished = /\.\d+\.\d+\.tmp$|\.new$|^launch-\d+\.sh$/

const filesIn = (folder: string): { name: string; path: string }[] =>
  readdirSync(folder).map((name) => ({ name, path: join(folder, name) }))

const foldersIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
