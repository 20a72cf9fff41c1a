/** The errors of worker/. Each says what is wrong (`message`) and what to do (`remedy`). */

/** Base class of all errors of this room. */
export class WorkerError extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.remedy = remedy
  }
}

/** One source of a program, and why it could not be used. */
export interface Attempt {
  source: string
  reason: string
}

/** Thrown when no source has a program that the engine needs; names every source and its reason. */
export class ProgramNotFoundError extends WorkerError {
  readonly attempts: readonly Attempt[]

  constructor(program: string, attempts: readonly Attempt[], remedy: string) {
    const reasons = attempts.map(({ source, reason }) => `\n  ${source}: ${reason}`).join('')
    super(`No ${program} could be found or installed.${reasons}`, remedy)
    this.attempts = attempts
  }
}

/** Thrown when OUTPOOL_TEMPORAL names an unusable program: an explicit choice is not ignored silently. */
export class WrongProgramError extends WorkerError {}

/** Thrown when the user's Temporal settings cannot be read. */
export class EngineSettingsError extends WorkerError {}

/** Thrown when the engine does not answer; the command ends with exit code 3. */
export class EngineUnreachableError extends WorkerError {}

export type EngineStartFailure =
  | 'database-broken'
  | 'database-not-writable'
  | 'disk-full'
  | 'port-taken'
  | 'cannot-run'
  | 'timeout'
  | 'unknown'

/** Thrown when the embedded engine cannot be started, or cannot be kept running. */
export class EngineStartError extends WorkerError {
  readonly failure: EngineStartFailure

  constructor(failure: EngineStartFailure, message: string, remedy: string, options?: ErrorOptions) {
    super(message, remedy, options)
    this.failure = failure
  }
}

/** Thrown when a reachable engine cannot be set up: namespace, retention, search attributes. */
export class EngineSetupError extends WorkerError {}

/** Thrown when this host lacks the key with which the other hosts of its engine seal their messages. */
export class FleetKeyError extends WorkerError {}

/** Thrown when a program that every session needs is missing or too old. */
export class MissingProgramError extends WorkerError {}

/** Thrown when another worker holds this home: a second one would stop and start the first one's agents. */
export class AlreadyRunningError extends WorkerError {}

/** Thrown when what runs for a home cannot be ended by us, or does not end. */
export class DownError extends WorkerError {}

/** Thrown when a changed configuration cannot be taken over while sessions run: the old one stays in use. */
export class ConfigRejectedError extends WorkerError {}

/** Thrown when a flag or a variable asks for a format or a level that the log does not have. */
export class LogOptionError extends WorkerError {
  constructor(option: string, value: string, choices: readonly string[]) {
    super(`${option} cannot be ${JSON.stringify(value)}`, `Write one of ${choices.join(', ')}.`)
  }
}

/** Thrown when the folder that is to be trusted does not exist. */
export class TrustPathError extends WorkerError {
  constructor(path: string) {
    super(`there is no folder ${path}`, 'Name the folder of the project: outpool trust PATH')
  }
}
