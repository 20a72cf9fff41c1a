/** The errors of the configuration. Each says what is wrong (`message`) and what to do (`remedy`). */

/** One fault of the configuration: where it stands, what is wrong, what would be right. */
export interface ConfigIssue {
  file: string
  /** Counted from 1; null where the fault is not in a line of the file. */
  line: number | null
  column: number | null
  problem: string
  remedy: string
}

/** What is quoted of a file may hold anything: nothing that a terminal would obey, and no page of it. */
const printable = (text: string): string =>
  text.replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Co}|\ufffd/gu, '?').slice(0, longestProblem)
const longestProblem = 1_000

const formatLocation = (fault: ConfigIssue): string =>
  [fault.file, fault.line, fault.column].filter((part) => part !== null).join(':')

/** Thrown when the configuration cannot be found, read or accepted. Carries every fault, in the file's order; exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly exitCode = 2
  readonly issues: readonly ConfigIssue[]
  readonly remedy: string

  constructor(told: readonly ConfigIssue[]) {
    const issues = told.map((fault) => ({ ...fault, problem: printable(fault.problem) }))
    super(issues.map((fault) => `${formatLocation(fault)}: ${fault.problem}`).join('\n'))
    this.issues = issues
    this.remedy = issues.map((fault) => fault.remedy).join('\n')
  }

  /** Every fault with its place, what is wrong and, on the next line, what would be right. */
  get report(): string {
    return this.issues
      .map((fault) => `${formatLocation(fault)}: ${fault.problem}\n  -> ${fault.remedy}`)
      .join('\n')
  }
}

/** Thrown when a secret cannot be had from where the configuration points. Names the reference, never the value. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
  readonly remedy: string

  constructor(problem: string, remedy: string) {
    super(problem)
    this.remedy = remedy
  }
}

/** Thrown when the folder of Outpool's state cannot be made or used; exit code 2. */
export class HomeError extends Error {
  override readonly name = 'HomeError'
  readonly exitCode = 2
  readonly remedy =
    'name a folder that you may write with OUTPOOL_HOME, or give this one back its permissions'

  constructor(folder: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message.replace(/, \w+ '.*$/, '') : String(cause)
    super(`the state folder ${folder} cannot be used: ${why}`, { cause })
  }
}
