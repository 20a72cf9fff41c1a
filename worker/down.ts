/** `outpool down`, and what a newer `outpool up` does first: ends the worker of a home, and then its engine, in order. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Home } from '../config/state/home.js'
import { type Holder, readHolder } from '../config/state/workerLock.js'
import { version } from '../config/version.js'
import { isAlive } from '../host/process/processes.js'
import { takeover } from '../policy/takeover.js'
import { endEmbedded } from './engine/embedded.js'
import { removeEndpoint } from './engine/endpointFile.js'
import { serversOf } from './engine/servers.js'
import { DownError } from './errors.js'
import { alreadyRunning } from './lock.js'

type Say = (line: string) => void

/** A worker ends its watches, and then its engine, within seconds; on a busy machine within a minute. Milliseconds. */
const endsWithin = 120_000
const pollEvery = 50

/** Returns once nothing of this home runs but the panes. Throws DownError, and EngineStartError for an engine that survives KILL. */
export async function down(home: Home, say: Say): Promise<void> {
  const holder = await runningHolder(home)
  if (holder?.isService === true)
    throw new DownError(
      `outpool runs as a service (process ${holder.pid}), which would start it again`,
      'Stop the service: systemctl --user stop outpool (without --user for one of the machine)',
    )
  if (holder !== null) await endWorker(holder, say)
  const left = await endEngine(home, say)
  if (holder === null && left === 0) say(`nothing was running for ${home.dir}`)
  else say('everything has ended but the panes, which keep running. `outpool up` watches them again.')
}

/** Ends the worker that a person's `up` replaces. Throws AlreadyRunningError if it has to stay, and DownError. */
export async function endReplacedWorker(home: Home, isAsked: boolean, say: Say): Promise<void> {
  const holder = await runningHolder(home)
  if (holder === null) return
  switch (takeover(holder, version(), isAsked)) {
    case 'held':
      return
    case 'newer':
      throw alreadyRunning(
        home,
        holder,
        'An older version does not replace a newer one. If that is what you want, end it first: outpool down',
      )
    case 'service':
      throw alreadyRunning(home, holder)
    case 'take-over':
      say(`taking over from outpool ${holder.version ?? 'of an older version'}`)
      await endWorker(holder, say)
  }
}

async function runningHolder(home: Home): Promise<Holder | null> {
  const holder = readHolder(home)
  return holder !== null && (await isAlive(holder)) ? holder : null
}

async function endWorker(holder: Holder, say: Say): Promise<void> {
  const { pid } = holder
  say(`ending the worker (process ${pid}), which ends its watches and its engine`)
  signal(pid, 'SIGTERM')
  // A process that was stopped acts on TERM only once it runs again.
  signal(pid, 'SIGCONT')
  const until = performance.now() + endsWithin
  while (await isAlive(holder)) {
    if (performance.now() > until)
      throw new DownError(
        `the worker (process ${pid}) has not ended within ${endsWithin / 60_000} minutes`,
        `See its terminal, or end it with: kill -9 ${pid} (panes keep running), then run \`outpool down\` again.`,
      )
    await delay(pollEvery)
  }
}

/** An embedded engine that outlived its worker, as after kill -9. Returns how many there were. */
async function endEngine(home: Home, say: Say): Promise<number> {
  const servers = await serversOf(home.database)
  for (const { process: server } of servers) {
    say(`ending the engine that was left behind (process ${server.pid})`)
    await endEmbedded(server)
  }
  if (servers.length > 0) removeEndpoint(home)
  return servers.length
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
