/** Steps whose failure is an answer, not the end of the workflow. */
import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow'

export interface StepFailure {
  /** The failing step's own type, such as `UnknownService`. */
  type: string
  message: string
}

export function failureOf(failure: ActivityFailure): StepFailure {
  const { cause } = failure
  if (cause instanceof ApplicationFailure) return { type: cause.type ?? 'Error', message: cause.message }
  return { type: 'StepTimedOut', message: cause?.message ?? failure.message }
}

/** What the step answered, or why it failed for good. A cancellation comes through. */
export async function attempt<T>(
  step: Promise<T>,
): Promise<{ value: T; failure: null } | { value: null; failure: StepFailure }> {
  try {
    return { value: await step, failure: null }
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    return { value: null, failure: failureOf(error) }
  }
}
