/** The virtual instants of attempts on the server with virtual time, for steps that postpone themselves. */
import { Context } from '@temporalio/activity'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'

/** "Not yet": asked again after this long, in virtual time, which a running activity would stop. */
export const retryLater = (ms: number): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'NotYet',
    message: 'nothing has happened',
    nextRetryDelay: Math.max(ms, 1),
    category: ApplicationFailureCategory.BENIGN,
  })

/** Identifies the step over all its attempts. */
export function stepKey(): string {
  const { activityId, workflowExecution } = Context.current().info
  return `${activityId} ${workflowExecution?.runId ?? ''}`
}

export class Attempts {
  readonly #dueAt = new Map<string, number>()

  /** The server says when this attempt was postponed, not until when. */
  now(): number {
    const { currentAttemptScheduledTimestampMs } = Context.current().info
    return Math.max(currentAttemptScheduledTimestampMs, this.#dueAt.get(stepKey()) ?? 0)
  }

  /** To be thrown: the step is called again at that instant. */
  retryAt(instant: number): ApplicationFailure {
    const now = this.now()
    const at = Math.max(Math.round(instant), now + 1)
    this.#dueAt.set(stepKey(), at)
    return retryLater(at - now)
  }
}
