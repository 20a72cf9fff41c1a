/** The worker of this home: whether one runs, and whether it still looks at its sessions. */
import { readdir } from 'node:fs/promises'
import { z } from 'zod'
import { readJson } from '../../config/state/readJson.js'
import { isAlive } from '../../host/process/processes.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** The worker writes what it sees every few seconds; a machine that was asleep catches up within this. Milliseconds. */
const silentAfter = 60_000

const holderSchema = z.object({ pid: z.number().int(), start: z.string() })

export async function checkWorker(home: Home, now: number): Promise<Finding> {
  const holder = readJson(home.workerLock, holderSchema)
  if (holder === null || !(await isAlive(holder))) return notRunning(home)
  const live = readLive(home)
  const age = live === null ? null : now - Date.parse(live.at)
  if (live === null || age === null)
    return ok('worker', `process ${holder.pid} is running, and has not looked at a session yet`)
  if (age > silentAfter)
    return fail(
      'worker',
      `process ${holder.pid} is there, but last looked ${Math.round(age / 1000)} s ago`,
      `Look into ${home.logs}; if nothing explains it, end process ${holder.pid} and run \`outpool up\` (panes live on).`,
    )
  const count = Object.keys(live.sessions).length
  return ok('worker', `process ${holder.pid} watches ${count} ${count === 1 ? 'session' : 'sessions'}`)
}

/** Nobody needs a worker before the first session; with sessions on record nobody moves them at a wall. */
async function notRunning(home: Home): Promise<Finding> {
  const sessions = await readdir(home.sessions)
  if (sessions.length === 0) return ok('worker', 'not running, and no session waits for one')
  const what = sessions.length === 1 ? 'one session is' : `${sessions.length} sessions are`
  return warn(
    'worker',
    `not running, while ${what} on record`,
    'Run `outpool up`, or start your service for it.',
  )
}
