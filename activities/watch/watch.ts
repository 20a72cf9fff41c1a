/** The activity that stands on one session while all is well, and returns what happened when something did. Reads only. */
import { Context } from '@temporalio/activity'
import { observationToEngine, requestToHost } from './engineInstants.js'
import type { SessionObservation, WatchRequest } from '../contracts.js'
import { modelsAfter } from '../../policy/pool/lease.js'
import type { Host } from '../../host/host.js'
import type { LeaseBatcher } from './leaseBatcher.js'
import type { Sampler } from './sampler.js'
import { SessionWatch } from './sessionWatch.js'

/** A watch ends by itself after about a day, so that the workflow above it can pick up new code. */
const rolloverAfter = 24 * 60 * 60_000

/** What has the session moved or resumed: in a herd each waits for its turn, and then tells the newest readings. */
const needsMoveSlot = new Set<SessionObservation['kind']>([
  'walled',
  'near-limit',
  'login',
  'exited',
  'gone',
  'frozen',
])

export async function watchAgent(
  host: Host,
  sampler: Sampler,
  request: WatchRequest,
  leaseBatcher: LeaseBatcher | null = null,
): Promise<SessionObservation> {
  const context = Context.current()
  const watch = new SessionWatch(host, requestToHost(host.clock, request), (details) =>
    context.heartbeat(details),
  )
  const rollover = setTimeout(() => watch.end({ kind: 'rollover' }), rolloverAfter)
  try {
    await host.tmux.showStatus(request.session, request.status)
    watch.sendHeartbeat()
    await sampler.add(watch)
    host.moveLimiter.release(request.session)
    // A worker that shuts down lets the attempt fail, and the next worker goes on: nothing here touches the pane.
    const ended = await Promise.race([watch.ended, context.cancelled])
    const observation = observationToEngine(host.clock, ended)
    if (!needsMoveSlot.has(observation.kind)) return { ...observation, readings: host.engineReadings() }
    await host.moveLimiter.acquire(request.session, context.cancellationSignal, (before) => {
      const line = `outpool: to be moved (${observation.kind}); ${before} sessions of this host are before it`
      void host.tmux.showStatus(request.session, line)
    })
    const { leaseRequest: ask, session } = request
    if (observation.kind !== 'walled' || !ask || !leaseBatcher)
      return { ...observation, readings: host.engineReadings() }
    const leaseRequest = { ...ask.request, models: modelsAfter(ask.request.models, observation.wall) }
    const leaseAnswer = host.moveLimiter.holdDuring(session, () =>
      leaseBatcher.requestLease(ask.pool, leaseRequest),
    )
    const lease = await Promise.race([leaseAnswer, context.cancelled])
    // What the pool has answered it has judged by the readings that came with the question.
    return { ...observation, lease, readings: lease === null ? host.engineReadings() : [] }
  } finally {
    clearTimeout(rollover)
    sampler.remove(watch)
  }
}
