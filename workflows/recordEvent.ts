/** Records an event at the end of a workflow, when no other step can take it to the host. */
import { ActivityFailure, CancellationScope } from '@temporalio/workflow'
import type { EventDraft } from '../activities/contracts.js'
import { lastEventsOn } from './proxies.js'

/** A host that is away for longer than the step waits does not keep the workflow from ending. */
export async function recordEvent(host: string, event: EventDraft): Promise<void> {
  const { recordEvents } = lastEventsOn(host)
  const summary = 'record what happened'
  try {
    await CancellationScope.nonCancellable(() =>
      recordEvents.executeWithOptions({ summary }, [{ events: [event] }]),
    )
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
  }
}
