/** What can go wrong on a host. `activities/failures.ts` turns these errors into the engine's failures. */
import { type FailureKind, failureKinds } from '../policy/failureKinds.js'

/** An error of a step on a host. Its kind is all that a workflow knows of it, beside the message. */
export abstract class StepError extends Error {
  abstract readonly kind: FailureKind
  /** False if the same step would fail in the same way again: the workflow decides what to do instead. */
  readonly isRetryable: boolean = false
  /** Plain data for the workflow. Holds no secret, prompt or answer (law 11). */
  readonly details: readonly unknown[] = []
}

/** Thrown when a newer launch of the session is known on this host: an old request must start and stop nothing. */
export class StaleFenceError extends StepError {
  override readonly name = 'StaleFenceError'
  readonly kind = failureKinds.staleFence

  constructor(session: string, asked: number, known: number) {
    super(`fence ${asked} of session ${session} is older than ${known}, which was launched since`)
  }
}

/** Thrown when the configuration of this host does not name the account or substrate. */
export class UnknownPlaceError extends StepError {
  override readonly name = 'UnknownPlaceError'
  readonly kind = failureKinds.unknownPlace

  constructor(place: string) {
    super(
      `this host's configuration names no account or substrate ${place}: add it to outpool.yaml, then restart outpool up`,
    )
  }
}

/** Thrown when a secret that a place needs cannot be read. The message names the reference, never a value. */
export class SecretMissingError extends StepError {
  override readonly name = 'SecretMissingError'
  readonly kind = failureKinds.secretMissing
}

/** Thrown when the configuration of this host names no such task, or one of another kind. */
export class UnknownTaskError extends StepError {
  override readonly name = 'UnknownTaskError'
  readonly kind = failureKinds.unknownTask

  constructor(task: string) {
    super(`this host's configuration no longer names the task ${task} as it was set up`)
  }
}

/** Thrown when tmux refuses a command or has lost a pane. Retried, since a tmux server may be starting or ending. */
export class TmuxFailedError extends StepError {
  override readonly name = 'TmuxFailedError'
  readonly kind = failureKinds.tmuxFailed
  override readonly isRetryable = true

  constructor(command: string, why: string) {
    super(`tmux ${command}: ${why}`)
  }
}

/** Thrown when the healer's side and the pool share a login, a folder or a secret (law 1): nothing of the healer's may be started. */
export class SharedDomainError extends StepError {
  override readonly name = 'SharedDomainError'
  readonly kind = failureKinds.sharedDomain
}
