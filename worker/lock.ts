/** One worker watches a home: two would stop and start each other's agents. */
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { readJson } from '../config/state/readJson.js'
import type { Home } from '../config/state/home.js'
import { readEngine, readLive } from '../config/state/liveFile.js'
import { type Holder, holderSchema, readHolder } from '../config/state/workerLock.js'
import { version } from '../config/version.js'
import { log } from '../host/log.js'
import { isAlive, processStart, type ProcessRef } from '../host/process/processes.js'
import { writeFileAtomic } from '../host/state/atomicFile.js'
import { AlreadyRunningError } from './errors.js'

/** A worker whose command was killed needs this long to end its watches and its engine. Milliseconds. */
const endTimeout = 60_000
const pollEvery = 100
/** How soon a worker writes its lock again if the file is gone or damaged; a start waits for longer than that. Milliseconds. */
const renewEvery = 500
const renewTimeout = 5_000

/** Locks of this process: one that has our process id but is not here is of an earlier process, as happens in containers. */
const held = new Set<string>()

/**
 * Throws AlreadyRunningError. Takes over the lock of a worker that was killed, without a waiting time, and waits for a worker whose
 * command was killed, since it is ending. `parent` is the process of the command with which we end. The lock holds even if its file
 * is removed or damaged.
 */
export async function lockHome(
  home: Home,
  {
    parent = null,
    isService = false,
    say = () => undefined,
  }: { parent?: number | null; isService?: boolean; say?: (line: string) => void } = {},
): Promise<{ release(): void }> {
  const parentStart = parent === null ? null : await processStart(parent)
  const mine: Holder = {
    ...{ pid: process.pid, start: (await processStart(process.pid)) ?? '' },
    parent: parent === null ? null : { pid: parent, start: parentStart ?? 'ended' },
    ...{ version: version(), isService },
  }
  const temporary = `${home.workerLock}.${process.pid}`
  writeFileSync(temporary, JSON.stringify(mine), { mode: 0o600 })
  const until = performance.now() + endTimeout
  let hasLogged = false
  try {
    for (;;) {
      const holder = readHolder(home)
      if (holder === null || !(await isHolding(holder, home))) {
        const watching = await lastWatching(home)
        if (watching !== null) {
          await untilRenewed(home, watching)
          continue
        }
        if (tryLink(temporary, home.workerLock)) break
        removeStale(home.workerLock, holder)
        continue
      }
      if (!(await isEnding(holder)) || performance.now() > until) throw alreadyRunning(home, holder)
      if (!hasLogged) say(`waiting for process ${holder.pid} to end: the command that started it was killed`)
      hasLogged = true
      await delay(pollEvery)
    }
  } finally {
    rmSync(temporary, { force: true })
  }
  held.add(home.workerLock)
  const renewing = setInterval(() => renew(home, mine), renewEvery).unref()
  return {
    release: () => {
      clearInterval(renewing)
      held.delete(home.workerLock)
      rmSync(home.workerLock, { force: true })
    },
  }
}

/** A full disk is no reason to end; the next try comes soon. */
function renew(home: Home, mine: Holder): void {
  if (readHolder(home) !== null) return
  try {
    writeFileAtomic(home.workerLock, JSON.stringify(mine))
  } catch (error) {
    log.error({ err: error }, `${home.workerLock} is gone and could not be written again`)
  }
}

/** The process that sampled this host last, if it lives and is not this one. It is a worker, whether or not its lock is there. */
async function lastWatching(home: Home): Promise<ProcessRef | null> {
  const { pid, start } = readLive(home) ?? {}
  if (pid === undefined || start === undefined || pid === process.pid) return null
  return (await isAlive({ pid, start })) ? { pid, start } : null
}

/** Returns once that worker has written its lock again, or has ended: it may just have released the lock. Throws AlreadyRunningError. */
async function untilRenewed(home: Home, watching: ProcessRef): Promise<void> {
  const until = performance.now() + renewTimeout
  while (readHolder(home)?.pid !== watching.pid && (await isAlive(watching))) {
    if (performance.now() > until) throw alreadyRunning(home, holderSchema.parse(watching))
    await delay(pollEvery)
  }
}

const isHolding = async (holder: Holder, home: Home): Promise<boolean> =>
  holder.pid === process.pid ? held.has(home.workerLock) : isAlive(holder)

const isEnding = async ({ parent }: Holder): Promise<boolean> => parent !== null && !(await isAlive(parent))

/** Names the version of the running one where it is another. */
export function alreadyRunning(
  home: Home,
  holder: Holder,
  remedy = holder.isService ? restartService : useAsItIs,
): AlreadyRunningError {
  const engine = readEngine(home)
  const where =
    engine === null
      ? ''
      : `, engine at ${engine.address}${engine.uiUrl === null ? '' : `, Web UI at ${engine.uiUrl}`}`
  return new AlreadyRunningError(
    `${nameOf(holder)} is already running for ${home.dir} (process ${holder.pid}${where})`,
    remedy,
  )
}

const useAsItIs =
  'Use it as it is, take over with `outpool up --replace`, end it with `outpool down`, or start this one with another OUTPOOL_HOME.'

const restartService =
  'It runs as a service. Restart that one, with the version that is installed: systemctl --user restart outpool'

function nameOf(holder: Holder): string {
  const own = version()
  return holder.version === null || holder.version === own
    ? 'outpool'
    : `outpool ${holder.version} (this one is ${own})`
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch {
    return false
  }
}

/** Renames it first: if two processes find the same stale lock, only one removes it, and neither removes the other's new lock. */
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
