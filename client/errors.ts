/** The errors of the command. Each says what is wrong (`message`) and what to do (`remedy`), and has its exit code. */

abstract class CommandError extends Error {
  abstract readonly exitCode: 1 | 2 | 3
  /** Null if nothing can be done about it. */
  readonly remedy: string | null

  constructor(message: string, remedy: string | null, options?: ErrorOptions) {
    super(message, options)
    this.remedy = remedy
  }
}

/** Thrown when what the command was asked to do failed. */
export class FailedError extends CommandError {
  override readonly name = 'FailedError'
  readonly exitCode = 1
}

/** Thrown when the command line is wrong: unknown names, missing or contradictory arguments. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError'
  readonly exitCode = 2
}

/** Thrown when the engine cannot be found or reached. */
export class EngineError extends CommandError {
  override readonly name = 'EngineError'
  readonly exitCode = 3
}
