/** How a failure is told: one line of what is wrong, one of what to do, and a stack only where it is asked for. */
import { ConfigError, HomeError } from '../../config/errors.js'
import { EngineError, FailedError, UsageError } from '../errors.js'
import { oneLine } from './terminal.js'

interface Told {
  exitCode: number
  text: string
}

export function tell(error: unknown, debug: boolean): Told {
  const told = plainly(error)
  return debug ? { ...told, text: `${told.text}\n${stackOf(error)}` } : told
}

function plainly(error: unknown): Told {
  if (error instanceof ConfigError) return { exitCode: error.exitCode, text: error.report }
  if (
    error instanceof UsageError ||
    error instanceof FailedError ||
    error instanceof EngineError ||
    error instanceof HomeError
  )
    return { exitCode: error.exitCode, text: lines(error.message, error.remedy) }
  const message = error instanceof Error ? error.message : String(error)
  const remedy = 'run it again with --debug for the whole story'
  return { exitCode: 1, text: lines(oneLine(message), remedy) }
}

const lines = (problem: string, remedy: string | null): string =>
  remedy === null ? `outpool: ${problem}` : `outpool: ${problem}\n  -> ${remedy}`

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
