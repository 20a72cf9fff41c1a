/** The virtual instants of attempts on the server with virtual time, for steps that put themselves off. */
import { Context } from '@temporalio/activity'
import type { ApplicationFailure } from '@temporalio/common'
import { retryLater } from './fakeHost.js'

/** Names the step over all its attempts. */
export function stepKey(): string {
  const { activityId, workflowExecution } = Context.current().info
  return `${activityId} ${workflowExecution?.runId ?? ''}`
}

export class Attempts {
  readonly #dueAt = new Map<string, number>()

  /** The server tells when this attempt was put off, not until when. */
  now(): number {
    const { currentAttemptScheduledTimestampMs } = Context.current().info
    return Math.max(currentAttemptScheduledTimestampMs, this.#dueAt.get(stepKey()) ?? 0)
  }

  /** To be thrown: the step is asked again at the instant. */
  retryAt(instant: number): ApplicationFailure {
    const now = this.now()
    const at = Math.max(Math.round(instant), now + 1)
    this.#dueAt.set(stepKey(), at)
    return retryLater(at - now)
  }
}
