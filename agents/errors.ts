/** The errors of agent programs. Each message says what is wrong, and each `remedy` what a person can do about it. */

/** The base class of this room's errors. */
class AgentError extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.remedy = remedy
  }
}

/** Thrown when the configuration names an agent that has no adapter. */
export class UnknownAgentError extends AgentError {
  readonly agent: string

  constructor(agent: string, known: readonly string[]) {
    super(`there is no adapter for the agent "${agent}"`, `Use one of: ${known.join(', ')}.`)
    this.agent = agent
  }
}

/** Thrown when an agent program cannot be run, or its output cannot be understood. */
export class AgentProgramError extends AgentError {
  readonly command: string

  constructor(command: string, what: string, options?: ErrorOptions) {
    super(
      `the agent program "${command}" ${what}`,
      'Install it, or name its path under agents.<agent>.command in outpool.yaml.',
      options,
    )
    this.command = command
  }
}

/** Thrown when a file of the agent's config dir, or a settings file for it, cannot be read, written or understood. */
export class AgentFileError extends AgentError {
  readonly file: string

  constructor(file: string, what: string, options?: ErrorOptions) {
    super(`${file} ${what}`, 'Repair the file, or move it away so that the agent creates a new one.', options)
    this.file = file
  }
}

/** Thrown when a conversation could not be carried completely from one place to another. The source is never changed. */
export class CarryError extends AgentError {
  readonly sessionId: string

  constructor(sessionId: string, what: string, remedy: string, options?: ErrorOptions) {
    super(`the conversation ${sessionId} was not carried: ${what}`, remedy, options)
    this.sessionId = sessionId
  }
}
