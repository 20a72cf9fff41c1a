/** Formats a failure: one line says what is wrong, one says what to do; the stack follows only with --debug. */
import {
  ConfigEditError,
  ConfigError,
  HomeError,
  isOutOfFiles,
  outOfFiles,
  SealKeyError,
} from '../../config/errors.js'
import { EngineError, FailedError, UsageError } from '../errors.js'
import { oneLine } from './terminal.js'
import { messageOf } from '../../policy/errorFacts.js'

interface FormattedError {
  exitCode: number
  text: string
}

export function formatError(error: unknown, debug: boolean): FormattedError {
  const formatted = formatWithoutStack(error)
  return debug ? { ...formatted, text: `${formatted.text}\n${stackOf(error)}` } : formatted
}

function formatWithoutStack(error: unknown): FormattedError {
  if (error instanceof ConfigError) return { exitCode: error.exitCode, text: error.report }
  if (
    error instanceof UsageError ||
    error instanceof FailedError ||
    error instanceof EngineError ||
    error instanceof HomeError ||
    error instanceof ConfigEditError ||
    error instanceof SealKeyError
  )
    return { exitCode: error.exitCode, text: formatProblem(error.message, error.remedy) }
  if (isOutOfFiles(error)) return { exitCode: 1, text: formatProblem(outOfFiles.problem, outOfFiles.remedy) }
  const message = messageOf(error)
  const remedy = 'run it again with --debug for the full error'
  return { exitCode: 1, text: formatProblem(oneLine(message), remedy) }
}

const formatProblem = (problem: string, remedy: string | null): string =>
  remedy === null ? `outpool: ${problem}` : `outpool: ${problem}\n  -> ${remedy}`

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
