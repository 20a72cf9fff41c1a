/** What follows when an engine that was away answers again: nothing waits for missed heartbeats, or for pauses between polls. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { type LineConnection, watchLine, type Line } from './connectionWatch.js'
import { persistently } from '../engine/passing.js'
import type { Results } from './keptResults.js'
import { standIn, type StandIn } from './standInPollers.js'
import { takeOver } from './reassignActivities.js'

export interface KeepLine extends Omit<StandIn, 'connection' | 'part' | 'signal'> {
  client: Client
  connection: LineConnection
  results: Results
  measureClock: () => Promise<void>
}

/** The library's pauses between polls double from 0.2 s on: after this they are too long to wait for. Milliseconds. */
const standInAfter = 2_000
/** A shorter break is not worth a line to a person. Milliseconds. */
const worthTelling = 5_000
/** A clock that is set while the worker runs shows after this at the latest. Milliseconds. */
const measureEvery = 60_000

export function keepLine(options: KeepLine): Line {
  const { client, connection, connectOptions, namespace, hostId, results } = options
  const stopped = new AbortController()
  const standing = new Set<Promise<void>>()
  let part = 0
  const stand = async (): Promise<void> => {
    part += 1
    const { over } = await standIn({ ...options, part, signal: stopped.signal })
    const ended = over.catch(complain).finally(() => standing.delete(ended))
    standing.add(ended)
  }
  const goOn = async (): Promise<void> => {
    await results.handOver(client)
    await takeOver(client, hostId, results)
  }
  const line = watchLine({
    ...{ connection, connectOptions, namespace },
    onSteady: (since) => results.settled(since),
    onBack: async (awayMs) => {
      if (stopped.signal.aborted) return
      if (awayMs > worthTelling)
        console.error(`outpool: the engine answers again, after ${Math.round(awayMs / 1000)} s`)
      const steps = [goOn, ...(awayMs > standInAfter ? [stand] : [])]
      await Promise.all(steps.map((step) => persistently(step).catch(complain)))
    },
  })
  const measuring = measure(options.measureClock, stopped.signal)
  return {
    stop: async () => {
      stopped.abort()
      await Promise.all([line.stop(), measuring])
      await Promise.all(standing)
    },
  }
}

async function measure(measureClock: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const isOver = (): boolean => signal.aborted
  while (!isOver()) {
    await delay(measureEvery, undefined, { signal, ref: false }).catch(() => undefined)
    // An engine that is away is the line's business.
    if (!isOver()) await measureClock().catch(() => undefined)
  }
}

const complain = (error: unknown): void =>
  console.error('outpool: what the engine missed while it was away may take some minutes:', error)
