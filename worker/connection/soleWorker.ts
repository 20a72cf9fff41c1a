/** Only one machine at a time may poll for a host's id: two would run each other's activities, with two processes on one conversation. */
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import type { Home } from '../../config/state/home.js'
import { hostQueue } from '../../policy/ids.js'
import type { ConnectOptions } from '../engine/connect.js'
import { isTransient, retryTransient } from '../engine/retryTransient.js'
import { engineAhead, pollersOf } from '../../config/engine/pollers.js'
import { isOfThisMachine } from './identity.js'

/** A running worker polls at least once a minute, a busy one a little later. Milliseconds. */
const pollerTimeout = 75_000
const pollEvery = 5_000
const answerTimeout = 10_000

export interface SoleWorkerOptions {
  home: Home
  connectOptions: ConnectOptions
  namespace: string
  say: (line: string) => void
  signal: AbortSignal
}

/**
 * Returns true once no other machine polls for this host's id; until then it prints that once and checks again. False if `signal`
 * aborted first. An earlier worker on this machine has ended, since it would hold the lock of the home.
 */
export async function untilSoleWorker({
  home,
  connectOptions,
  namespace,
  say,
  signal,
}: SoleWorkerOptions): Promise<boolean> {
  const connection = await Connection.connect(connectOptions)
  const find = (): Promise<string | null> =>
    connection.withDeadline(Date.now() + answerTimeout, () =>
      foreignWorker(connection, namespace, home.hostId),
    )
  /** An outage of the engine ends no wait that may take days: the other worker counts as still there. */
  const isStillThere = async (): Promise<boolean> => {
    try {
      return (await find()) !== null
    } catch (error) {
      if (!isTransient(error)) throw error
      return true
    }
  }
  try {
    const other = signal.aborted ? null : await retryTransient(find)
    if (other === null) return !signal.aborted
    say(
      `another machine (${other}) runs a worker for ${home.hostId}, the id of this host, so nothing is started here. ` +
        `If this home or this machine is a copy, remove ${home.dir}/host.json here and run outpool again; ` +
        'otherwise stop the other worker. Checking again every few seconds.',
    )
    do await delay(pollEvery, undefined, { signal }).catch(() => undefined)
    while (!signal.aborted && (await isStillThere()))
    return !signal.aborted
  } finally {
    await connection.close()
  }
}

/** The identity of a worker on another machine that polled for this host recently, or null. */
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
