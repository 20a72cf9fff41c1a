/** One worker watches a home: two would stop and start each other's agents. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { Home } from '../config/home.js'
import { readEngine } from '../config/liveState.js'
import { isAlive, startOf } from '../activities/processes.js'
import { AlreadyRunningError } from './errors.js'

const holderSchema = z.object({ pid: z.number().int(), start: z.string() })

/** Throws AlreadyRunningError. The lock of a worker that was killed is taken over; no time has to pass for it. */
export async function lockHome(home: Home): Promise<{ release(): void }> {
  const mine = { pid: process.pid, start: (await startOf(process.pid)) ?? '' }
  const temporary = `${home.workerLock}.${process.pid}`
  writeFileSync(temporary, JSON.stringify(mine), { mode: 0o600 })
  try {
    while (!tryLink(temporary, home.workerLock)) {
      const holder = readHolder(home.workerLock)
      if (holder && (await isAlive(holder))) throw alreadyRunning(home, holder.pid)
      removeStale(home.workerLock, holder)
    }
  } finally {
    rmSync(temporary, { force: true })
  }
  return { release: () => rmSync(home.workerLock, { force: true }) }
}

function alreadyRunning(home: Home, pid: number): AlreadyRunningError {
  const engine = readEngine(home)
  const where =
    engine === null
      ? ''
      : `, engine at ${engine.address}${engine.uiUrl === null ? '' : `, Web UI at ${engine.uiUrl}`}`
  return new AlreadyRunningError(
    `outpool is already running for ${home.dir} (process ${pid}${where})`,
    'Use it as it is, or stop that one first; another OUTPOOL_HOME runs beside it.',
  )
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch {
    return false
  }
}

function readHolder(file: string): z.output<typeof holderSchema> | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

/** Renamed first, so that of two who find the same stale lock only one removes it, and neither removes the other's new one. */
function removeStale(file: string, stale: z.output<typeof holderSchema> | null): void {
  const aside = `${file}.stale.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const moved = readHolder(aside)
  if (JSON.stringify(moved) === JSON.stringify(stale)) rmSync(aside, { force: true })
  else tryLink(aside, file)
  rmSync(aside, { force: true })
}
