/** The program's own word on its live processes, checked against the system's. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Activity, LiveState, Place } from '../agent.js'
import { liveFolder } from './paths.js'

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

/** Dead processes, and files that an earlier process of the same number left, are not among them. */
export async function liveStates(place: Place): Promise<LiveState[]> {
  const folder = liveFolder(place)
  const names = await readdir(folder).catch(() => [])
  const states = await Promise.all(
    names.filter((name) => /^\d+\.json$/.test(name)).map((name) => liveState(join(folder, name))),
  )
  return states.filter((state) => state !== null)
}

async function liveState(file: string): Promise<LiveState | null> {
  const live = liveSchema.safeParse(await parsed(file)).data
  if (live === undefined || !(await isAlive(live.pid, live.procStart))) return null
  const changed = live.statusUpdatedAt ?? live.updatedAt ?? live.startedAt
  return {
    pid: live.pid,
    sessionId: live.sessionId,
    activity: activityOf(live.status),
    waitingFor: live.waitingFor ?? null,
    updatedAt: new Date(changed ?? 0).toISOString(),
  }
}

/** A word that we don't know counts as busy: nothing busy is ever stopped for a planned move. */
function activityOf(status: string | undefined): Activity {
  return status === 'idle' || status === 'waiting' || status === 'shell' ? status : 'busy'
}

/** `started` is field 22 of `/proc/<pid>/stat`; where the system has no such file, a live process of that number must do. */
export async function isAlive(pid: number, started: string | undefined): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return process.platform !== 'linux' && answersSignal(pid)
  // The name in field 2 may hold spaces and brackets; what follows its last bracket is field 3 on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie whose count of threads (field 20) is above one still has some at work.
  const hasEnded = fields[0] === 'X' || (fields[0] === 'Z' && Number(fields[17]) <= 1)
  return !hasEnded && (started === undefined || fields[19] === started)
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function parsed(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}
