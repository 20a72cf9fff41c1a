/**
 * After an outage of the engine, the library's pollers resume up to ten seconds late, and up to a minute after a cut connection, since
 * each waits for the end of its backoff. Until they have resumed, a second set on a new connection polls in their place.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import { commonQueue, hostQueue } from '../../policy/ids.js'
import type { ConnectOptions } from '../engine/connect.js'
import { pollersOf, type QueueKind } from '../../config/engine/pollers.js'
import { workerIdentity } from './identity.js'
import type { Pollers } from './pollers.js'

const checkEvery = 2_000
const checkTimeout = 2_000
/**
 * Stand-ins end only after the engine has answered for this long: a task that it hands to a poll just as the poll is cancelled
 * is lost until its timeout of ten seconds, and right after an outage tasks are in progress. Milliseconds.
 */
const calmAfter = 30_000
/** As `calmAfter`, if newer stand-ins have taken over. Milliseconds. */
const supersededAfter = 5_000

export interface StandInOptions {
  connection: Connection
  connectOptions: ConnectOptions
  namespace: string
  hostId: string
  /** Which set this is; the worker's own is 0. */
  part: number
  makePollers: (native: NativeConnection, identity: string) => Promise<Pollers>
  signal: AbortSignal
  /** Whether newer stand-ins poll, so that these are not needed. */
  isSuperseded: () => boolean
  /** Instead of 30 s, for how long the engine has to answer before the stand-ins end. Milliseconds. */
  calmMs?: number
}

/** Resolves once the second set polls; `over` settles when it has stopped, after the worker's own pollers have resumed. */
export async function startStandInPollers(options: StandInOptions): Promise<{ over: Promise<void> }> {
  const { connectOptions, makePollers, hostId, part } = options
  const before = await lastPolls(options)
  const native = await NativeConnection.connect(connectOptions)
  const pollers = await makePollers(native, workerIdentity(hostId, part))
  const over = async (): Promise<void> => {
    await untilUnneeded(options, before)
    pollers.shutDown()
    await pollers.done.catch(() => undefined)
    await native.close()
  }
  return { over: over() }
}

async function untilUnneeded(options: StandInOptions, before: LastPolls): Promise<void> {
  const { connection, signal, isSuperseded, calmMs = calmAfter } = options
  let answersSince = performance.now()
  while (!signal.aborted) {
    await delay(checkEvery, undefined, { signal }).catch(() => undefined)
    const now = await connection
      .withDeadline(Date.now() + checkTimeout, () => lastPolls(options))
      .catch(() => null)
    if (now === null) answersSince = performance.now()
    const answersFor = performance.now() - answersSince
    const haveResumed = now !== null && now.activity > before.activity && now.workflow > before.workflow
    if ((haveResumed && answersFor >= calmMs) || (isSuperseded() && answersFor >= supersededAfter)) return
  }
}

type LastPolls = Record<QueueKind, number>

/** When the worker's own pollers last polled, by the engine's clock. */
async function lastPolls({ connection, namespace, hostId }: StandInOptions): Promise<LastPolls> {
  const own = workerIdentity(hostId)
  const last = async (queue: string, kind: QueueKind): Promise<number> => {
    const pollers = await pollersOf(connection, namespace, queue, kind)
    return Math.max(0, ...pollers.filter(({ identity }) => identity === own).map(({ at }) => at))
  }
  const [activity, workflow] = await Promise.all([
    last(hostQueue(hostId), 'activity'),
    last(commonQueue, 'workflow'),
  ])
  return { activity, workflow }
}
