/** The errors of the configuration. Each says what is wrong (`message`) and what to do (`remedy`). */
import type { Oddity } from '../policy/fileTrust.js'
import { errorCode } from '../policy/errorFacts.js'

/** One problem of the configuration: its place, what is wrong, what would be right. */
export interface ConfigIssue {
  file: string
  /** Counted from 1; null if the problem is not in a line of the file. */
  line: number | null
  column: number | null
  problem: string
  remedy: string
}

/** A quotation from a file may hold anything: takes out what a terminal would obey, and cuts it. */
const printable = (text: string): string =>
  text.replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Co}|\ufffd/gu, '?').slice(0, longestProblem)
const longestProblem = 1_000

const formatLocation = ({ file, line, column }: ConfigIssue): string =>
  [file, line, column].filter((part) => part !== null).join(':')

/** Thrown when the configuration cannot be found, read or accepted. Carries every issue, in the file's order; exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly exitCode = 2
  readonly issues: readonly ConfigIssue[]
  readonly remedy: string

  constructor(found: readonly ConfigIssue[]) {
    const issues = found.map((issue) => ({ ...issue, problem: printable(issue.problem) }))
    super(issues.map((issue) => `${formatLocation(issue)}: ${issue.problem}`).join('\n'))
    this.issues = issues
    this.remedy = issues.map(({ remedy }) => remedy).join('\n')
  }

  /** Every issue with its place, what is wrong and, on the next line, what would be right. */
  get report(): string {
    return this.issues
      .map((issue) => `${formatLocation(issue)}: ${issue.problem}\n  -> ${issue.remedy}`)
      .join('\n')
  }
}

/** Thrown when an edit of the configuration cannot be made as it was asked for; exit code 2. */
export class ConfigEditError extends Error {
  override readonly name = 'ConfigEditError'
  readonly exitCode = 2
  readonly remedy: string

  constructor(problem: string, remedy: string) {
    super(problem)
    this.remedy = remedy
  }
}

/** Thrown when a secret cannot be read from its source. Names the reference, never the value. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
  readonly remedy: string

  constructor(problem: string, remedy: string) {
    super(problem)
    this.remedy = remedy
  }
}

/** Thrown when the keys that seal what the engine stores are missing, readable by others, or broken; exit code 2. */
export class SealKeyError extends Error {
  override readonly name = 'SealKeyError'
  readonly exitCode = 2
  readonly remedy: string

  constructor(problem: string, remedy: string, options?: ErrorOptions) {
    super(problem, options)
    this.remedy = remedy
  }
}

/** Thrown when the folder of Outpool's state cannot be created or used; exit code 2. */
export class HomeError extends Error {
  override readonly name = 'HomeError'
  readonly exitCode = 2
  readonly remedy = 'name a writable folder with OUTPOOL_HOME, or correct the permissions of this one'

  constructor(folder: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message.replace(/, \w+ '.*$/, '') : String(cause)
    super(`the state folder ${folder} cannot be used: ${why}`, { cause })
  }
}

/** Thrown for a file or folder that Outpool does not act on: a link, a pipe, another user's, writable by others, or too large. */
export class OddFileError extends Error {
  override readonly name = 'OddFileError'
  readonly path: string
  readonly oddity: Oddity

  constructor(path: string, oddity: Oddity) {
    super(`${path} is ${oddity}`)
    this.path = path
    this.oddity = oddity
  }
}

/** What a person can do if the system gives no more files: it comes as an error of whatever was being opened. */
export const outOfFiles = {
  problem: 'this process may open no more files',
  remedy: 'allow more, for instance with `ulimit -n 4096` (LimitNOFILE in a systemd unit), then try again',
} as const

export const isOutOfFiles = (error: unknown): boolean => ['EMFILE', 'ENFILE'].includes(errorCode(error) ?? '')
