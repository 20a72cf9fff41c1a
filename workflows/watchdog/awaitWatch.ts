/** Standing on the service: one watch at a time, until it has seen something, somebody has news, or the time is over. */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow'
import type { ServiceObservation } from '../../activities/services/contracts.js'
import { attempt } from '../stepFailures.js'
import { mustRenew, type WatchdogContext } from './context.js'

/** Null where the watch saw nothing. It has let go of the host when this returns. */
export async function awaitWatch(
  ctx: WatchdogContext,
  options: { reportTrouble: boolean; incident: number | null },
  forMs?: number,
): Promise<ServiceObservation | null> {
  const { state, handlers, watches } = ctx
  const watch: { isOver: boolean; sighted: ServiceObservation | null } = { isOver: false, sighted: null }
  const scope = new CancellationScope()
  const request = { service: state.spec.name, since: state.since, ...options }
  const watching = scope
    .run(() => attempt(watches.watchService.executeWithOptions({ summary: summaryOf(options) }, [request])))
    .then(({ value }) => (watch.sighted = value))
    .catch((error: unknown) => {
      if (!isCancellation(error)) throw error
    })
    .finally(() => (watch.isOver = true))
  const isInterrupted = (): boolean => handlers.hasMessages() || mustRenew(ctx)
  const isDone = (): boolean => watch.isOver || isInterrupted()
  await (forMs === undefined ? condition(isDone) : condition(isDone, forMs))
  const hasFailed = watch.isOver && watch.sighted === null
  scope.cancel()
  await watching
  // The host would not watch it, for a reason that a retry does not mend at once.
  if (hasFailed) await condition(isInterrupted, forMs ?? state.spec.every)
  return watch.sighted
}

function summaryOf({ reportTrouble, incident }: { reportTrouble: boolean; incident: number | null }): string {
  if (!reportTrouble) return 'look on'
  return incident === null ? 'watch until something happens' : 'watch whether the restart has helped'
}
