/** The activity that stands on one session while all is well, and returns what happened when something did. Reads only. */
import { Context } from '@temporalio/activity'
import { observationToEngine, requestToHost } from './engineInstants.js'
import type { Observation, WatchRequest } from '../contracts.js'
import { modelsAfter } from '../../policy/pool/lease.js'
import type { Host } from '../../host/host.js'
import type { LeaseDesk } from './leaseBatcher.js'
import type { Sampler } from './sampler.js'
import { SessionWatch } from './sessionWatch.js'

/** A watch ends by itself after about a day, so that the workflow above it can pick up new code. */
const rolloverAfter = 24 * 60 * 60_000

/** What has the session moved or resumed: in a herd each waits for its turn, and then tells the newest readings. */
const needsTurn = new Set<Observation['kind']>(['walled', 'near-limit', 'login', 'exited', 'gone', 'frozen'])

export async function watchAgent(
  host: Host,
  sampler: Sampler,
  request: WatchRequest,
  leases: LeaseDesk | null = null,
): Promise<Observation> {
  const context = Context.current()
  const watch = new SessionWatch(host, requestToHost(host.clock, request), (details) =>
    context.heartbeat(details),
  )
  const rollover = setTimeout(() => watch.end({ kind: 'rollover' }), rolloverAfter)
  try {
    await host.tmux.showStatus(request.session, request.status)
    watch.beat()
    await sampler.add(watch)
    host.rescues.leave(request.session)
    // A worker that shuts down lets the attempt fail, and the next worker goes on: nothing here touches the pane.
    const sight = await Promise.race([watch.ended, context.cancelled])
    const seen = observationToEngine(host.clock, sight)
    if (!needsTurn.has(seen.kind)) return { ...seen, readings: host.tellReadings() }
    await host.rescues.enter(request.session, context.cancellationSignal, (before) => {
      const line = `outpool: to be moved (${seen.kind}); ${before} sessions of this host are before it`
      void host.tmux.showStatus(request.session, line)
    })
    const { ask, session } = request
    if (seen.kind !== 'walled' || !ask || !leases) return { ...seen, readings: host.tellReadings() }
    const asked = { ...ask.request, models: modelsAfter(ask.request.models, seen.wall) }
    const answer = host.rescues.during(session, () => leases.ask(ask.pool, asked))
    const lease = await Promise.race([answer, context.cancelled])
    // What the pool has answered it has judged by the readings that came with the question.
    return { ...seen, lease, readings: lease === null ? host.tellReadings() : [] }
  } finally {
    clearTimeout(rollover)
    sampler.remove(watch)
  }
}
