/** Steps whose failure is an answer and not the end of the workflow. */
import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow'
import { type FailureKind, isFailureKind } from '../policy/failureKinds.js'

export interface StepFailure {
  /** Null if the step timed out, or failed with an error that has no kind. */
  kind: FailureKind | null
  message: string
  /** The details of the host's error (host/errors.ts). */
  details: readonly unknown[]
}

export function failureOf({ cause, message }: ActivityFailure): StepFailure {
  if (!(cause instanceof ApplicationFailure))
    return { kind: null, message: cause?.message ?? message, details: [] }
  const kind = isFailureKind(cause.type) ? cause.type : null
  return { kind, message: cause.message, details: cause.details ?? [] }
}

export type Attempted<T> = { value: T; failure: null } | { value: null; failure: StepFailure }

/** The step's result, or why it failed for good. A cancellation is thrown on. */
export async function attempt<T>(step: Promise<T>): Promise<Attempted<T>> {
  try {
    return { value: await step, failure: null }
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    return { value: null, failure: failureOf(error) }
  }
}
