/** When the engine answers again after an outage: nothing has to wait for heartbeat timeouts or for the library's backoff. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { type WatchedConnection, watchConnection, type ConnectionWatch } from './connectionWatch.js'
import { log } from '../../host/log.js'
import { retryTransient } from '../engine/retryTransient.js'
import type { PendingResults } from './pendingResults.js'
import { startStandInPollers, type StandInOptions } from './standInPollers.js'
import { reassignActivities } from './reassignActivities.js'

export interface ReconnectOptions extends Omit<
  StandInOptions,
  'connection' | 'part' | 'signal' | 'isSuperseded'
> {
  client: Client
  connection: WatchedConnection
  results: PendingResults
  measureClock: () => Promise<void>
  /** Called when the connection gets no answer from an engine that answers on a new one. */
  onUnanswered: () => void
  /** Called when the engine does not answer, and when it answers again after that. */
  onEngine: (change: { isUp: false } | { isUp: true; downMs: number }) => void
}

/** The library's backoff between polls doubles from 0.2 s on; after this outage it is too long to wait for. Milliseconds. */
const standInPollersAfter = 2_000
/** An engine that comes and goes must not add a set for each time; with these, recovery is slower at worst. */
const mostStandIns = 4
/** After another outage, even the newest set may be in its backoff; older ones than these are of no use. */
const usefulStandIns = 2
/** No check of the engine is made during these steps: a call that hangs in a second outage would hide that. Milliseconds. */
const recoveryTimeout = 60_000
/** A change of the clock while the worker runs is noticed within this time. Milliseconds. */
const measureEvery = 60_000

export function maintainConnection(options: ReconnectOptions): ConnectionWatch {
  const { client, connection, connectOptions, namespace, hostId, results } = options
  const stopped = new AbortController()
  const standIns = new Set<Promise<void>>()
  let lastPart = 0
  /** The newest set that polls. */
  let lastRunning = 0
  let isLost = false
  const startStandIns = async (): Promise<void> => {
    if (standIns.size >= mostStandIns) return
    const part = ++lastPart
    const isSuperseded = (): boolean => lastRunning - part >= usefulStandIns
    const { over } = await startStandInPollers({ ...options, part, signal: stopped.signal, isSuperseded })
    lastRunning = part
    const ended = over.catch(logError).finally(() => standIns.delete(ended))
    standIns.add(ended)
  }
  const resume = async (): Promise<void> => {
    await results.reportAll(client)
    await reassignActivities(client, hostId, results)
  }
  const watch = watchConnection({
    ...{ connection, connectOptions, namespace, onUnanswered: options.onUnanswered },
    onStable: (since) => results.dropDelivered(since),
    onLost: () => {
      if (stopped.signal.aborted) return
      isLost = true
      options.onEngine({ isUp: false })
    },
    onReconnect: async (downMs) => {
      if (stopped.signal.aborted) return
      if (isLost) options.onEngine({ isUp: true, downMs })
      isLost = false
      const steps = [resume, ...(downMs > standInPollersAfter ? [startStandIns] : [])]
      const bounded = (step: () => Promise<void>): Promise<void> =>
        client.withDeadline(Date.now() + recoveryTimeout, step)
      await Promise.all(steps.map((step) => retryTransient(() => bounded(step)).catch(logError)))
    },
  })
  const measuring = measureRegularly(options.measureClock, stopped.signal)
  return {
    stop: async () => {
      stopped.abort()
      await Promise.all([watch.stop(), measuring])
      await Promise.all(standIns)
    },
  }
}

async function measureRegularly(measureClock: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const isOver = (): boolean => signal.aborted
  while (!isOver()) {
    await delay(measureEvery, undefined, { signal, ref: false }).catch(() => undefined)
    // An unreachable engine is handled by the connection watch.
    if (!isOver()) await measureClock().catch(() => undefined)
  }
}

const logError = (error: unknown): void =>
  log.warn({ err: error }, 'recovery after the outage of the engine may take some minutes')
