/** The state files that the program writes about its live processes, checked against the system's processes. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hasEnded, statFieldsOf } from '../../policy/procStat.js'
import { parseJsonAs } from '../../policy/parseJson.js'
import type { Activity, LiveQuery, LiveState } from '../adapter/liveness.js'
import type { Place } from '../adapter/place.js'
import { readRegularSync } from '../files.js'
import { liveFolder } from './paths.js'
import { errorCode } from '../../policy/errorFacts.js'

const instantMs = z.number().positive().max(8.64e15)

const liveSchema = z.looseObject({
  pid: z.number().int().positive(),
  sessionId: z.string(),
  procStart: z.coerce.string().optional(),
  status: z.string().optional(),
  waitingFor: z.string().nullish(),
  updatedAt: instantMs.optional(),
  statusUpdatedAt: instantMs.optional(),
  startedAt: instantMs.optional(),
})

/** Two changes within one tick of the file system's clock look the same, so a file that has just changed is read again. */
const settledAfterMs = 1_000

type LiveFile = z.output<typeof liveSchema>

/** For this long a pane's process counts as alive without another check: tmux reports its end as well. */
const aliveForMs = 10_000

/**
 * The content of files as last read, by folder and name: a fleet's files are read far more often than they change. Missing files
 * are removed with the next listing of their folder.
 */
const fileCache = new Map<string, Map<string, KnownFile>>()

interface KnownFile {
  signature: string
  live: LiveFile | null
  livedAt: number
}

/**
 * Leaves out dead processes (those of panes a moment later), and files of an earlier process with the same id. Reads synchronously,
 * because that is faster for small local files than a thread.
 */
export function readLiveStates(place: Place, { pids, sessionId }: LiveQuery = {}): Promise<LiveState[]> {
  const folder = liveFolder(place)
  const names = pids === undefined ? liveFileNames(folder) : pids.map((pid) => `${pid}.json`)
  const mayBeKnown = pids !== undefined && sessionId === undefined
  const states = names.flatMap((name) => {
    const live = readLiveFile(folder, name)
    if (live === null || (sessionId !== undefined && live.sessionId !== sessionId)) return []
    const before = mayBeKnown ? fileCache.get(folder)?.get(name) : undefined
    const lives = isStillAlive(live, before)
    return lives ? [stateOf(live)] : []
  })
  return Promise.resolve(states)
}

function isStillAlive(live: LiveFile, before: KnownFile | undefined): boolean {
  const now = Date.now()
  if (before !== undefined && Math.abs(now - before.livedAt) < aliveForMs) return true
  const lives = isAlive(live.pid, live.procStart)
  if (before !== undefined && lives) before.livedAt = now
  return lives
}

function liveFileNames(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder).filter((name) => /^\d+\.json$/.test(name))
  } catch {
    names = []
  }
  const here = new Set(names)
  const before = fileCache.get(folder)
  for (const name of before?.keys() ?? []) if (!here.has(name)) before?.delete(name)
  return names
}

function readLiveFile(folder: string, name: string): LiveFile | null {
  const file = join(folder, name)
  const files = fileCache.get(folder) ?? new Map<string, KnownFile>()
  fileCache.set(folder, files)
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat === undefined) {
    files.delete(name)
    return null
  }
  const signature = `${stat.ino} ${stat.size} ${stat.mtimeMs}`
  const before = files.get(name)
  if (before?.signature === signature) return before.live
  const live = parseLiveFile(file)
  if (Date.now() - stat.mtimeMs > settledAfterMs) files.set(name, { signature, live, livedAt: -Infinity })
  return live
}

function stateOf(live: LiveFile): LiveState {
  const changed = live.statusUpdatedAt ?? live.updatedAt ?? live.startedAt
  return {
    pid: live.pid,
    sessionId: live.sessionId,
    activity: activityOf(live.status),
    waitingFor: live.waitingFor ?? null,
    updatedAt: new Date(changed ?? 0).toISOString(),
  }
}

/** An unknown status counts as busy, because a planned move never stops a busy agent. */
function activityOf(status: string | undefined): Activity {
  return status === 'idle' || status === 'waiting' || status === 'shell' ? status : 'busy'
}

/** `started` is field 22 of `/proc/<pid>/stat`. Without such a file, any live process with that id counts. */
export function isAlive(pid: number, started: string | undefined): boolean {
  const stat = procStat(pid)
  if (stat === null) return process.platform !== 'linux' && answersSignal(pid)
  const fields = statFieldsOf(stat)
  return !hasEnded(fields) && (started === undefined || fields[19] === started)
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

function procStat(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
}

function parseLiveFile(file: string): LiveFile | null {
  try {
    return parseJsonAs(readRegularSync(file), liveSchema)
  } catch {
    return null
  }
}
