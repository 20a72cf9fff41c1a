/** The worker of this home: whether one runs, and whether it still polls its sessions. */
import { readdir } from 'node:fs/promises'
import { isAlive } from '../../host/process/processes.js'
import type { Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { type Holder, readHolder } from '../../config/state/workerLock.js'
import { version } from '../../config/version.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** The worker writes its live file every few seconds; after a suspend it catches up within this time. Milliseconds. */
const silentAfter = 60_000

export async function checkWorker(home: Home, now: number): Promise<Finding[]> {
  const holder = readHolder(home)
  if (holder === null || !(await isAlive(holder))) return [await notRunning(home)]
  return [checkPolling(home, holder, now), ...checkVersions(holder)]
}

/** No finding if the running worker is of this version. */
function checkVersions(holder: Holder): Finding[] {
  const own = version()
  if (holder.version === null || holder.version === own) return []
  const restart = holder.isService
    ? 'Restart the service: systemctl --user restart outpool'
    : 'Run `outpool up --replace` from the version that you want (panes keep running).'
  return [warn('version', `the running worker is of ${holder.version}, this command of ${own}`, restart)]
}

function checkPolling(home: Home, holder: Holder, now: number): Finding {
  const live = readLive(home)
  const age = live === null ? null : now - Date.parse(live.at)
  if (live === null || age === null)
    return ok('worker', `process ${holder.pid} is running, and has not polled its sessions yet`)
  if (age > silentAfter)
    return fail(
      'worker',
      `process ${holder.pid} is running, but last polled ${Math.round(age / 1000)} s ago`,
      `See the logs in ${home.logs}; if they don't explain it, run \`outpool up --replace\` (panes keep running).`,
    )
  const count = Object.keys(live.sessions).length
  return ok('worker', `process ${holder.pid} watches ${count} ${count === 1 ? 'session' : 'sessions'}`)
}

/** Before the first session no worker is needed; later, sessions without a worker are not moved at a wall. */
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
