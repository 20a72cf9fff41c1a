/** One worker watches a home: two would stop and start each other's agents. */
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { readJson } from '../config/state/readJson.js'
import type { Home } from '../config/state/home.js'
import { readEngine } from '../config/state/liveFile.js'
import { isAlive, processStart } from '../host/process/processes.js'
import { AlreadyRunningError } from './errors.js'

const processSchema = z.object({ pid: z.number().int(), start: z.string() })
/** `parent`: the command that holds the worker, and with which it ends. */
const holderSchema = processSchema.extend({ parent: processSchema.nullable().default(null) })
type Holder = z.output<typeof holderSchema>

/** A worker whose command was killed lets go of its sessions and ends its engine first. Milliseconds. */
const endTimeout = 60_000
const pollEvery = 100

/** What this process holds: a holder with our own id that is not of us is of a process before us, as in every container. */
const held = new Set<string>()

/**
 * Throws AlreadyRunningError. The lock of a worker that was killed is taken over; no time has to pass for it. One whose command
 * was killed is ending: it is waited for. `parent` is the command's process that we end with.
 */
export async function lockHome(
  home: Home,
  { parent = null, say = () => undefined }: { parent?: number | null; say?: (line: string) => void } = {},
): Promise<{ release(): void }> {
  const parentStart = parent === null ? null : await processStart(parent)
  const mine: Holder = {
    ...{ pid: process.pid, start: (await processStart(process.pid)) ?? '' },
    parent: parent === null ? null : { pid: parent, start: parentStart ?? 'ended' },
  }
  const temporary = `${home.workerLock}.${process.pid}`
  writeFileSync(temporary, JSON.stringify(mine), { mode: 0o600 })
  const until = performance.now() + endTimeout
  let hasLogged = false
  try {
    while (!tryLink(temporary, home.workerLock)) {
      const holder = readJson(home.workerLock, holderSchema)
      if (holder === null || !(await isHolding(holder, home))) {
        removeStale(home.workerLock, holder)
        continue
      }
      if (!(await isEnding(holder)) || performance.now() > until) throw alreadyRunning(home, holder.pid)
      if (!hasLogged) say(`waiting for process ${holder.pid} to end: the outpool above it was killed`)
      hasLogged = true
      await delay(pollEvery)
    }
  } finally {
    rmSync(temporary, { force: true })
  }
  held.add(home.workerLock)
  return {
    release: () => {
      held.delete(home.workerLock)
      rmSync(home.workerLock, { force: true })
    },
  }
}

const isHolding = async (holder: Holder, home: Home): Promise<boolean> =>
  holder.pid === process.pid ? held.has(home.workerLock) : isAlive(holder)

const isEnding = async ({ parent }: Holder): Promise<boolean> => parent !== null && !(await isAlive(parent))

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

/** Renamed first, so that of two who find the same stale lock only one removes it, and neither removes the other's new one. */
function removeStale(file: string, stale: Holder | null): void {
  const aside = `${file}.stale.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const moved = readJson(aside, holderSchema)
  if (JSON.stringify(moved) === JSON.stringify(stale)) rmSync(aside, { force: true })
  else tryLink(aside, file)
  rmSync(aside, { force: true })
}
