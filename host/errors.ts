/** The errors of a host. `activities/failures.ts` turns them into Temporal failures. */
import { type FailureKind, failureKinds } from '../policy/failureKinds.js'

/** The base class. A workflow sees only its kind, message and details. */
export abstract class StepError extends Error {
  abstract readonly kind: FailureKind
  /** False if a retry would fail in the same way: the workflow decides what to do instead. */
  readonly isRetryable: boolean = false
  /** Plain data for the workflow. Holds no secret, prompt or answer (law 11). */
  readonly details: readonly unknown[] = []

  constructor(message: string) {
    super(message)
    this.name = new.target.name
  }
}

/** Thrown when this host knows a newer launch of the session: an older request must not start or stop anything. */
export class StaleFenceError extends StepError {
  readonly kind = failureKinds.staleFence

  constructor(session: string, requested: number, known: number) {
    super(`fence ${requested} of session ${session} is older than ${known}, which was launched since`)
  }
}

/** Thrown when the configuration of this host does not name the account or substrate. */
export class UnknownPlaceError extends StepError {
  readonly kind = failureKinds.unknownPlace

  constructor(place: string) {
    super(
      `the configuration of this host names no account or substrate ${place}: add it to outpool.yaml, then restart outpool up`,
    )
  }
}

/** Thrown when a secret of a place cannot be read. The message names the reference, never a value. */
export class SecretMissingError extends StepError {
  readonly kind = failureKinds.secretMissing
}

/** Thrown when another user may have changed a file that the configuration names, or when it is not as a person trusts it. */
export class FileRefusedError extends StepError {
  readonly kind = failureKinds.fileRefused
}

/** Thrown when the configuration of this host does not name the task, or names one of another kind. */
export class UnknownTaskError extends StepError {
  readonly kind = failureKinds.unknownTask

  constructor(task: string) {
    super(`the configuration of this host no longer names the task ${task}, or has changed its kind`)
  }
}

/** Thrown when tmux refuses a command or has lost a pane. Retried, since a tmux server may be starting or ending. */
export class TmuxFailedError extends StepError {
  readonly kind = failureKinds.tmuxFailed
  override readonly isRetryable = true

  constructor(command: string, why: string) {
    super(`tmux ${command}: ${why}`)
  }
}

/** What to do about a failure domain that healer and pool share. */
export const independenceRemedy =
  "Give the healer's side a login and secrets that the pool does not use, or remove it from outpool.yaml."

/** Thrown when healer and pool share a login, a folder or a secret (law 1). Nothing of the healer may be started then. */
export class SharedDomainError extends StepError {
  readonly kind = failureKinds.sharedDomain
  readonly remedy = independenceRemedy
}
