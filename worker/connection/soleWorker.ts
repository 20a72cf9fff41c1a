/** One machine at a time answers for a host's id: two would execute each other's steps, with two processes on one conversation. */
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import type { Home } from '../../config/state/home.js'
import { hostQueue } from '../../policy/ids.js'
import type { ConnectOptions } from '../engine/connect.js'
import { engineAhead, pollersOf } from '../engine/pollers.js'
import { isOfThisMachine } from './identity.js'

/** A worker that lives asks again at least once a minute, and a busy one a little later. Milliseconds. */
const pollerTimeout = 75_000
const pollEvery = 5_000

export interface SoleWorkerOptions {
  home: Home
  connectOptions: ConnectOptions
  namespace: string
  say: (line: string) => void
  signal: AbortSignal
}

/**
 * Returns once nobody on another machine answers for this host's id; says so while somebody does, and looks again. False where
 * `signal` came first. A worker before us on this very machine is gone by now: it would hold the lock of the home.
 */
export async function untilSoleWorker({
  home,
  connectOptions,
  namespace,
  say,
  signal,
}: SoleWorkerOptions): Promise<boolean> {
  const connection = await Connection.connect(connectOptions)
  try {
    for (let hasLogged = false; !signal.aborted; hasLogged = true) {
      const other = await foreignWorker(connection, namespace, home.hostId)
      if (other === null) return true
      if (!hasLogged)
        say(
          `another machine (${other}) answers for ${home.hostId}, the id of this host: nothing is started here while it does. ` +
            `Is this home, or this whole machine, a copy? Then remove ${home.dir}/host.json here, and run it again; ` +
            'otherwise stop the other one. Looking again every few seconds.',
        )
      await delay(pollEvery, undefined, { signal }).catch(() => undefined)
    }
    return false
  } finally {
    await connection.close()
  }
}

/** The identity of a worker elsewhere that asked for this host's work a moment ago. */
async function foreignWorker(
  connection: Connection,
  namespace: string,
  hostId: string,
): Promise<string | null> {
  const others = (await pollersOf(connection, namespace, hostQueue(hostId))).filter(
    ({ identity }) => !isOfThisMachine(identity, hostId),
  )
  if (others.length === 0) return null
  const now = Date.now() + (await engineAhead(connection, namespace))
  return others.find(({ at }) => now - at < pollerTimeout)?.identity ?? null
}
