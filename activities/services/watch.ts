/** The activity that stands on one service while all is well, and returns when something happened. Touches nothing. */
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { ServiceConfig } from '../../config/config.js'
import { isBack } from '../../policy/service/verdict.js'
import type { Trouble } from '../../policy/service/service.js'
import { isAlive } from '../../host/process/processes.js'
import type { AwaitRequest, Glimpse, ServiceSight, ServiceWatchRequest } from './contracts.js'
import { rulesOf } from './observe.js'
import type { SeenLook, ServiceHost } from './serviceHost.js'

/** Whether a process of ours still lives costs next to nothing, so nobody waits for the next look to learn that it ended. */
const aliveEvery = 2_000
/** A watch ends by itself after about a day, so that the workflow above it can pick up new code. */
const rolloverAfter = 24 * 60 * 60_000
/** A service that ought to come back is looked at this often. */
const awaitEvery = 3_000

export async function watchService(side: ServiceHost, request: ServiceWatchRequest): Promise<ServiceSight> {
  const { cancellationSignal: signal } = Context.current()
  const service = side.service(request.service)
  const startedAt = Date.now()
  const told: { look: SeenLook | null } = { look: null }
  const deaf = side.listen(service.name, (seen) => (told.look = seen))
  try {
    for (;;) {
      // Somebody else's look, taken meanwhile, is as good as one of its own.
      const seen = told.look ?? (await side.look(service))
      told.look = null
      const sight = sightOf(side, service, request, seen)
      if (sight !== null) return sight
      if (Date.now() - startedAt > rolloverAfter) return { kind: 'rollover' }
      await untilNextLook(side, service, seen, () => told.look !== null, request.incident !== null, signal)
    }
  } finally {
    deaf()
  }
}

function sightOf(
  { incidents }: ServiceHost,
  service: ServiceConfig,
  { troubleIsNews, incident, since }: ServiceWatchRequest,
  seen: SeenLook,
): ServiceSight | null {
  if (incident !== null && isBack(seen, seen.process, rulesOf(service), seen.at, Date.parse(since))) {
    incidents.close(incident, 'recovered', `well again: ${seen.why}`, 'watchdog')
    return { kind: 'back' }
  }
  if (!seen.isTrouble || !troubleIsNews) return null
  const { verdict, why, memory } = seen
  const sign = { at: memory.staleSince ?? new Date(seen.at).toISOString(), layer: 'watchdog' as const }
  const { n } = incidents.open(service.name, memory.wellAt, { ...sign, what: `${verdict}: ${why}` })
  return { kind: 'trouble', verdict: verdict as Trouble, why, incident: n }
}

/** Until the look is due, somebody else has looked, or the process has ended. */
async function untilNextLook(
  { records }: ServiceHost,
  service: ServiceConfig,
  seen: SeenLook,
  hasNews: () => boolean,
  isAwaited: boolean,
  signal: AbortSignal,
): Promise<void> {
  const dueAt = isAwaited ? Date.now() + awaitEvery : seen.nextLookAt
  while (Date.now() < dueAt && !hasNews()) {
    await delay(Math.min(aliveEvery, Math.max(dueAt - Date.now(), 1)), undefined, { signal })
    if (service.locator.by !== 'own' || seen.process === null) continue
    const { process } = records.read(service.name)
    if (process !== null && !(await isAlive(process))) return
  }
}

/** Returns once the service is well by itself. */
export async function awaitService(side: ServiceHost, { service: name, since }: AwaitRequest): Promise<void> {
  const { cancellationSignal: signal } = Context.current()
  await untilBack(side, side.service(name), Date.parse(since), Infinity, signal)
}

/** False where it was not back within so many ms. */
export async function untilBack(
  side: ServiceHost,
  service: ServiceConfig,
  since: number,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const until = Date.now() + withinMs
  for (;;) {
    const seen = await side.look(service)
    if (isBack(seen, seen.process, rulesOf(service), seen.at, since)) return true
    if (Date.now() >= until) return false
    await delay(Math.min(awaitEvery, Math.max(until - Date.now(), 1)), undefined, { signal })
  }
}

export async function lookAtService(side: ServiceHost, name: string): Promise<Glimpse> {
  const { verdict, why, process, memory, nextLookAt } = await side.look(side.service(name))
  const nextCheckAt = new Date(nextLookAt).toISOString()
  return { verdict, why, pid: process?.pid ?? null, lastBeat: memory.beat, nextCheckAt }
}
