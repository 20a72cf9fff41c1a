/**
 * The session's history in Temporal, event by event as it is written: the source of the demonstration's
 * times.
 */
import type { Connection } from '@temporalio/client'
import { tsToMs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'

const { EventType } = proto.temporal.api.enums.v1

export type Moment =
  | { kind: 'began'; step: string; summary: string; at: number }
  | { kind: 'done'; step: string; at: number }
  | { kind: 'failed'; step: string; why: string; at: number }
  | { kind: 'signal'; name: string; at: number }

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent

const longPoll = 20_000

/**
 * Reports every moment of a workflow once, in order, until the signal aborts. `at` is the engine's clock, in
 * milliseconds.
 */
export async function followHistory(
  connection: Connection,
  execution: { namespace: string; workflowId: string },
  onMoment: (moment: Moment) => void,
  signal: AbortSignal,
): Promise<void> {
  const steps = new Map<string, string>()
  let nextPageToken = new Uint8Array()
  while (!signal.aborted) {
    const answer = await connection.withDeadline(Date.now() + longPoll * 2, () =>
      connection.withAbortSignal(signal, () =>
        connection.workflowService.getWorkflowExecutionHistory({
          namespace: execution.namespace,
          execution: { workflowId: execution.workflowId },
          waitNewEvent: true,
          nextPageToken,
        }),
      ),
    )
    for (const event of answer.history?.events ?? []) {
      const moment = momentOf(event, steps)
      if (moment) onMoment(moment)
    }
    if (answer.nextPageToken.length === 0) return
    nextPageToken = new Uint8Array(answer.nextPageToken)
  }
}

function momentOf(event: HistoryEvent, steps: Map<string, string>): Moment | null {
  const at = tsToMs(event.eventTime)
  const stepOf = (id: unknown): string => steps.get(String(id)) ?? '?'
  switch (event.eventType) {
    case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
      const step = event.activityTaskScheduledEventAttributes?.activityType?.name ?? '?'
      steps.set(String(event.eventId), step)
      return { kind: 'began', step, summary: summaryOf(event), at }
    }
    case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
      const done = event.activityTaskCompletedEventAttributes
      return { kind: 'done', step: stepOf(done?.scheduledEventId), at }
    }
    case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: {
      const failed = event.activityTaskFailedEventAttributes
      // Its message is sealed.
      const why = failed?.failure?.applicationFailureInfo?.type ?? ''
      return { kind: 'failed', step: stepOf(failed?.scheduledEventId), why, at }
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
      return { kind: 'signal', name: event.workflowExecutionSignaledEventAttributes?.signalName ?? '?', at }
    default:
      return null
  }
}

/** The line that the Web UI shows beside a step. */
function summaryOf(event: HistoryEvent): string {
  const data = event.userMetadata?.summary?.data
  if (!data) return ''
  const text: unknown = JSON.parse(Buffer.from(data).toString('utf8'))
  return typeof text === 'string' ? text : ''
}
