/** A long step that a workflow waits for, and ends early if something else comes first. */
import { ActivityFailure, CancellationScope, isCancellation } from '@temporalio/workflow'
import { type Attempted, failureOf } from './stepFailures.js'

export interface RunningStep<T> {
  readonly isOver: boolean
  /** Null while the step runs, and if it was cancelled. */
  readonly outcome: Attempted<T> | null
  /** Cancels the step and waits until it has ended on its host, which may have given an outcome still. */
  end(): Promise<void>
}

export function startStep<T>(start: () => Promise<T>): RunningStep<T> {
  const progress: { isOver: boolean; outcome: Attempted<T> | null } = { isOver: false, outcome: null }
  const scope = new CancellationScope()
  const running = scope
    .run(start)
    .then((value) => {
      progress.outcome = { value, failure: null }
    })
    .catch((error: unknown) => {
      if (isCancellation(error)) return
      if (!(error instanceof ActivityFailure)) throw error
      progress.outcome = { value: null, failure: failureOf(error) }
    })
    .finally(() => (progress.isOver = true))
  return {
    get isOver() {
      return progress.isOver
    },
    get outcome() {
      return progress.outcome
    },
    end: async () => {
      scope.cancel()
      await running
    },
  }
}
