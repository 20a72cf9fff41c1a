/** Watches the connection to the engine, and calls back when the engine answers again after an outage. */
import { setTimeout as delay } from 'node:timers/promises'
import { Connection, type ConnectionOptions } from '@temporalio/client'
import { measures } from '../../host/measures.js'
import { answersOn, ownSubchannels, type ConnectOptions } from '../engine/connect.js'

/** Between two checks of an engine that answers. A check costs it one small read. Milliseconds. */
const checkEvery = 2_000
/** A busy engine takes seconds; one that takes longer counts as unreachable. Milliseconds. */
const answerTimeout = 10_000
/** Between two checks of an unreachable engine; each on a new connection, since an old one may wait long before it retries. */
const reconnectEvery = 250
const connectTimeout = 2_000

/** gRPC's connectivity state of an open connection. */
const connected = 2
const isConnected = (state: number): boolean => state === connected

export interface ConnectionWatch {
  /** Ends the checks. */
  stop(): Promise<void>
}

/** A connection that reports its breaks, and reconnects soon and without limit. */
export class WatchedConnection extends Connection {
  static override lazy(options: ConnectionOptions = {}): WatchedConnection {
    const channelArgs = {
      // The library's own doubles the pause up to two minutes.
      ...{ 'grpc.initial_reconnect_backoff_ms': 250, 'grpc.max_reconnect_backoff_ms': 1_000 },
      ...options.channelArgs,
    }
    return new WatchedConnection(this.createCtorOptions({ ...options, channelArgs }))
  }

  static override async connect(options?: ConnectionOptions): Promise<WatchedConnection> {
    const connection = this.lazy(options)
    await connection.ensureConnected()
    return connection
  }

  /** Calls back at each break, until `signal` aborts. */
  onBreak(broke: () => void, signal: AbortSignal): void {
    const channel = this.client.getChannel()
    let state = channel.getConnectivityState(false)
    const watch = (): void =>
      channel.watchConnectivityState(state, Infinity, (error) => {
        if (error || signal.aborted) return
        const now = channel.getConnectivityState(true)
        if (isConnected(state) && !isConnected(now)) broke()
        state = now
        watch()
      })
    watch()
  }
}

export interface ConnectionWatchOptions {
  connection: WatchedConnection
  connectOptions: ConnectOptions
  namespace: string
  /** How long the connection has to answer. Default: 10 s. Milliseconds. */
  answerTimeoutMs?: number
  /** The engine has answered since `since` (performance.now()) without a break. */
  onStable: (since: number) => void
  /** The engine does not answer, not even on a new connection. Called once for each outage. */
  onLost: () => void
  /** The connection gets no answer from an engine that answers on new ones, for the second time in a row. */
  onUnanswered: () => void
  /** The engine answers again. `downMs`: time since its last answer. The next check follows when this has settled. */
  onReconnect: (downMs: number) => Promise<void>
}

/** A check reads from the engine's database, so an engine whose database restarts counts as unreachable. */
export function watchConnection(options: ConnectionWatchOptions): ConnectionWatch {
  const stopped = new AbortController()
  const running = watchLoop(options, stopped.signal)
  return {
    stop: async () => {
      stopped.abort()
      await running
    },
  }
}

async function watchLoop(options: ConnectionWatchOptions, signal: AbortSignal): Promise<void> {
  const { connection, namespace, onStable, onUnanswered, onReconnect } = options
  const { answerTimeoutMs = answerTimeout } = options
  const breaks = watchBreaks(connection, signal)
  let answeredAt = performance.now()
  /** Checks in a row in which an intact connection got no answer. */
  let unanswered = 0
  while (!signal.aborted) {
    const broke = breaks.next()
    await Promise.race([pause(checkEvery, signal), broke])
    const since = performance.now()
    const hasBroken = breaks.take()
    if (!hasBroken && (await answersOn(connection, namespace, answerTimeoutMs))) {
      answeredAt = since
      measures.engine.record({ ms: performance.now() - since })
      onStable(since)
      unanswered = 0
      continue
    }
    measures.engine.record({ ms: null })
    if (!(await untilReachable(options, signal))) return
    unanswered = hasBroken ? 0 : unanswered + 1
    if (unanswered > 1) onUnanswered()
    // Breaks during the outage are handled by the same call.
    breaks.take()
    const downMs = performance.now() - answeredAt
    answeredAt = performance.now()
    await onReconnect(downMs)
  }
}

/** False if `signal` aborted first. */
async function untilReachable(
  { connectOptions, namespace, onLost }: ConnectionWatchOptions,
  signal: AbortSignal,
): Promise<boolean> {
  for (let tries = 1; !signal.aborted; tries++) {
    if (await answersOnNewConnection(connectOptions, namespace)) return true
    if (tries === 1) onLost()
    await pause(reconnectEvery, signal)
  }
  return false
}

async function answersOnNewConnection(options: ConnectOptions, namespace: string): Promise<boolean> {
  const fresh = WatchedConnection.lazy({ ...options, connectTimeout, channelArgs: ownSubchannels })
  try {
    await fresh.ensureConnected()
    return await answersOn(fresh, namespace, connectTimeout)
  } catch {
    return false
  } finally {
    await fresh.close()
  }
}

/** Breaks of the connection, even those that heal before the next check: calls in progress may be lost. */
function watchBreaks(connection: WatchedConnection, signal: AbortSignal) {
  let hasBroken = false
  let notify: () => void = () => undefined
  connection.onBreak(() => {
    hasBroken = true
    notify()
  }, signal)
  return {
    next: () => new Promise<void>((resolve) => (notify = resolve)),
    take: () => {
      const had = hasBroken
      hasBroken = false
      return had
    },
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
