/** What can go wrong with an agent program. Each message says what is wrong, each `remedy` what a person does about it. */

/** Common shape of the errors of this room. */
class AgentError extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.remedy = remedy
  }
}

/** Thrown where the configuration names an agent that has no adapter. */
export class UnknownAgentError extends AgentError {
  readonly agent: string

  constructor(agent: string, known: readonly string[]) {
    super(`there is no adapter for the agent "${agent}"`, `Use one of: ${known.join(', ')}.`)
    this.agent = agent
  }
}

/** Thrown when an agent program cannot be run, or says nothing that can be understood. */
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

/** Thrown when a file of the agent's own config dir, or a settings file given to it, is not what the agent would accept. */
export class AgentFileError extends AgentError {
  readonly file: string

  constructor(file: string, what: string, options?: ErrorOptions) {
    super(
      `${file} ${what}`,
      'Put the file right, or move it away so that the agent makes a new one.',
      options,
    )
    this.file = file
  }
}

/** Thrown when a conversation could not be brought whole from one place to another. The source is never touched. */
export class CarryError extends AgentError {
  readonly sessionId: string

  constructor(sessionId: string, what: string, remedy: string, options?: ErrorOptions) {
    super(`the conversation ${sessionId} was not carried: ${what}`, remedy, options)
    this.sessionId = sessionId
  }
}
