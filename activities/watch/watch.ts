/** The activity that watches one session while all is well, and returns when something has happened. It only reads. */
import { once } from 'node:events'
import { Context } from '@temporalio/activity'
import { observationToEngine, requestToHost } from './engineInstants.js'
import type { SessionObservation, WatchRequest } from '../contracts.js'
import { modelsAfter } from '../../policy/pool/lease.js'
import type { Host } from '../../host/host.js'
import type { LeaseBatcher } from './leaseBatcher.js'
import type { Sampler } from './sampler.js'
import { restoreRecord } from './restoreRecord.js'
import { SessionWatch } from './sessionWatch.js'

/** A watch ends by itself after about a day, so that the workflow above it can pick up new code. */
const rolloverAfter = 24 * 60 * 60_000

/** After these the session is moved or resumed. In a herd each waits for its turn, and then returns the newest readings. */
const needsMoveSlot = new Set<SessionObservation['kind']>([
  'walled',
  'near-limit',
  'login',
  'exited',
  'gone',
  'frozen',
])

export interface WatchOptions {
  /** Asks the pool for a place at a wall; without it the workflow asks. */
  leaseBatcher?: LeaseBatcher
  /** Ends the watch as `released`, even if it is aborted before the watch has begun. */
  signal?: AbortSignal
}

export async function watchAgent(
  host: Host,
  sampler: Sampler,
  request: WatchRequest,
  { leaseBatcher, signal }: WatchOptions = {},
): Promise<SessionObservation> {
  const context = Context.current()
  const watch = new SessionWatch(host, requestToHost(host.clock, request), (details) =>
    context.heartbeat(details),
  )
  const rollover = setTimeout(() => watch.end({ kind: 'rollover' }), rolloverAfter)
  const release = (): void => watch.release()
  signal?.addEventListener('abort', release, { once: true })
  if (signal?.aborted) release()
  try {
    await restoreRecord(host, request)
    await host.tmux.showStatus(request.session, request.status)
    watch.sendHeartbeat()
    await sampler.add(watch)
    host.moveLimiter.release(request.session)
    // When a worker shuts down, the attempt fails and the next worker watches on. The pane is not affected.
    const ended = await Promise.race([watch.ended, context.cancelled])
    const off = await host.features.review(request.agent)
    const observation = observationToEngine(
      host.clock,
      off.length === 0 ? ended : { ...ended, off: [...off] },
    )
    const withReadings = (): SessionObservation => ({ ...observation, readings: host.engineReadings() })
    if (!needsMoveSlot.has(observation.kind) || watch.released.aborted) return withReadings()
    // What stops the session waits for this watch to end.
    const released = once(watch.released, 'abort')
    if (!(await acquireSlot(host, request, observation.kind, watch.released))) return withReadings()
    const { leaseRequest, session } = request
    // What is off may change what the session asks for.
    if (observation.kind !== 'walled' || !leaseRequest || !leaseBatcher || off.length > 0)
      return withReadings()
    const models = modelsAfter(leaseRequest.request.models, observation.wall)
    const leaseAnswer = host.moveLimiter.holdDuring(session, () =>
      leaseBatcher.requestLease(leaseRequest.pool, { ...leaseRequest.request, models }),
    )
    const lease = await Promise.race([leaseAnswer, context.cancelled, released.then(() => null)])
    // The pool has judged by the readings that came with the request, so an answered one needs none.
    return { ...observation, lease, readings: lease === null ? host.engineReadings() : [] }
  } finally {
    clearTimeout(rollover)
    signal?.removeEventListener('abort', release)
    sampler.remove(watch)
  }
}

/** True when it is the session's turn to move; false once it is released. */
async function acquireSlot(
  host: Host,
  { session }: WatchRequest,
  kind: SessionObservation['kind'],
  released: AbortSignal,
): Promise<boolean> {
  const { cancellationSignal } = Context.current()
  const signal = AbortSignal.any([cancellationSignal, released])
  try {
    await host.moveLimiter.acquire(session, signal, (before) => {
      const status = `outpool: to be moved (${kind}), after ${before} other sessions of this host`
      void host.tmux.showStatus(session, status)
    })
    return true
  } catch (error) {
    if (released.aborted) return false
    throw error
  }
}
