/** How the worker logs, by its flags and its environment. */
import { z } from 'zod'
import type { GivenFlags } from '../config/hostPrograms.js'
import { defaultFormat, type LogFormat, type LogLevel, logLevels } from '../host/log.js'
import { LogOptionError } from './errors.js'

const formatSchema = z.enum(['text', 'json'])
const levelSchema = z.enum(logLevels)

/** The flags come before OUTPOOL_LOG. Throws LogOptionError. */
export function logOptions(
  given: GivenFlags,
  env: NodeJS.ProcessEnv,
): { format: LogFormat; level: LogLevel } {
  const flag = given.option('log')
  const named = flag ?? env['OUTPOOL_LOG'] ?? ''
  const format = named === '' ? 'text' : formatSchema.safeParse(named).data
  if (format === undefined)
    throw new LogOptionError(flag === null ? 'OUTPOOL_LOG' : '--log', named, formatSchema.options)
  const level = levelSchema.safeParse(given.option('log-level') ?? 'info').data
  if (level === undefined) throw new LogOptionError('--log-level', given.option('log-level') ?? '', logLevels)
  return { format: format === 'text' ? defaultFormat(env) : format, level }
}
