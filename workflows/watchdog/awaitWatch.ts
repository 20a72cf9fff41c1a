/** Standing on the service: one watch at a time, until it has seen something, somebody has news, or the time is over. */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow'
import type { ServiceSight } from '../../activities/services/contracts.js'
import { attempt } from '../stepFailures.js'
import { mustRenew, type Run } from './context.js'

/** Null where the watch saw nothing. It has let go of the host when this returns. */
export async function stand(
  run: Run,
  wants: { troubleIsNews: boolean; incident: number | null },
  forMs?: number,
): Promise<ServiceSight | null> {
  const { state, mail, watches } = run
  const watch: { isOver: boolean; seen: ServiceSight | null } = { isOver: false, seen: null }
  const scope = new CancellationScope()
  const request = { service: state.spec.name, since: state.since, ...wants }
  const watching = scope
    .run(() => attempt(watches.watchService.executeWithOptions({ summary: summaryOf(wants) }, [request])))
    .then(({ value }) => (watch.seen = value))
    .catch((error: unknown) => {
      if (!isCancellation(error)) throw error
    })
    .finally(() => (watch.isOver = true))
  const hasNews = (): boolean => mail.hasNews() || mustRenew(run)
  const isDone = (): boolean => watch.isOver || hasNews()
  await (forMs === undefined ? condition(isDone) : condition(isDone, forMs))
  const hasFailed = watch.isOver && watch.seen === null
  scope.cancel()
  await watching
  // The host would not watch it, for a reason that a retry does not mend at once.
  if (hasFailed) await condition(hasNews, forMs ?? state.spec.every)
  return watch.seen
}

function summaryOf({ troubleIsNews, incident }: { troubleIsNews: boolean; incident: number | null }): string {
  if (!troubleIsNews) return 'look on'
  return incident === null ? 'watch until something happens' : 'watch whether the restart has helped'
}
