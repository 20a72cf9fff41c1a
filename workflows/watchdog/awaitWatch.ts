/** Waits for the watch of the service: until it has observed something, a message has come, or the time is over. */
import { condition } from '@temporalio/workflow'
import type { ServiceObservation, ServiceWatchRequest } from '../../activities/services/contracts.js'
import { mustRenew } from '../renewal.js'
import { startStep } from '../runningStep.js'
import type { WatchdogContext } from './context.js'

/** Returns null if the watch observed nothing. The watch has ended on its host when this returns. */
export async function awaitWatch(
  ctx: WatchdogContext,
  options: { reportTrouble: boolean; incident: number | null },
  forMs?: number,
): Promise<ServiceObservation | null> {
  const { state, handlers, watches } = ctx
  const request: ServiceWatchRequest = { service: state.spec.name, since: state.since, ...options }
  const watch = startStep(() =>
    watches.watchService.executeWithOptions({ summary: summaryOf(options) }, [request]),
  )
  const isInterrupted = (): boolean => handlers.hasMessages() || mustRenew(ctx)
  const isDone = (): boolean => watch.isOver || isInterrupted()
  await (forMs === undefined
    ? condition(isDone)
    : condition(isDone, forMs, { summary: 'until the next step is due' }))
  const hasFailed = watch.isOver && watch.outcome?.failure !== null
  await watch.end()
  // The host refused to watch the service, for a reason that an immediate retry would meet again.
  if (hasFailed)
    await condition(isInterrupted, forMs ?? state.spec.every, {
      summary: 'a pause before it is watched again',
    })
  return watch.outcome?.value ?? null
}

function summaryOf({ reportTrouble, incident }: { reportTrouble: boolean; incident: number | null }): string {
  if (!reportTrouble) return 'observe without acting'
  return incident === null ? 'watch until something happens' : 'watch whether the restart helps'
}
