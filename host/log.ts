/**
 * The log of a worker, on stderr: lines for people, coloured on a terminal; JSON lines for programs; or lines with a priority and
 * without a time for systemd's journal, which adds its own.
 */
import { fstatSync } from 'node:fs'
import { pino } from 'pino'
import { z } from 'zod'
import { colorsFor } from '../config/colors.js'
import { describeEvent, type EventLevel, levelOf } from '../config/events/describe.js'
import type { OutpoolEvent } from '../config/events/schema.js'
import { parseJsonAs } from '../policy/parseJson.js'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly EventLevel[]
export type LogLevel = (typeof logLevels)[number]
export type LogFormat = 'text' | 'json' | 'journal'

const entrySchema = z.object({
  level: z.enum(logLevels),
  time: z.string(),
  msg: z.string().default(''),
  err: z.object({ message: z.string(), stack: z.string().optional() }).optional(),
})
type LogEntry = z.output<typeof entrySchema>

let format: LogFormat = 'text'
/** The file descriptor. */
const stderr = 2

/** One line for each call; an error goes into `err`. Its stack is printed from level `debug` on, and is always part of JSON. */
export const log = pino(
  {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  },
  { write: (line: string) => void process.stderr.write(formatLine(line)) },
)

/** To be called once, when the program begins. */
export function configureLog(options: { format: LogFormat; level: LogLevel }): void {
  format = options.format
  log.level = options.level
}

export function logEvent(event: OutpoolEvent): void {
  log[levelOf(event)]({ event }, describeEvent(event, new Date()))
}

/** The format that fits where stderr goes: `JOURNAL_STREAM` names the journal's own socket as `device:inode`. */
export function defaultFormat(env: NodeJS.ProcessEnv): LogFormat {
  const [device, inode] = (env['JOURNAL_STREAM'] ?? '').split(':').map(Number)
  if (device === undefined || inode === undefined) return 'text'
  const { dev, ino } = fstatSync(stderr)
  return dev === device && ino === inode ? 'journal' : 'text'
}

function formatLine(line: string): string {
  if (format === 'json') return line
  const entry = parseJsonAs(line, entrySchema)
  return entry === null ? line : formatEntry(entry, format, { withStack: log.isLevelEnabled('debug') })
}

/** As syslog numbers them. */
const priorities: Record<LogLevel, number> = { error: 3, warn: 4, info: 6, debug: 7 }

export function formatEntry(
  { level, time, msg, err }: LogEntry,
  format: Exclude<LogFormat, 'json'>,
  { withStack = false, colors = colorsFor(process.stderr) } = {},
): string {
  const stack = withStack && err?.stack !== undefined ? `\n${err.stack}` : ''
  const text = `${msg}${err === undefined ? '' : `: ${err.message}`}${stack}`
  if (format === 'journal')
    return text
      .split('\n')
      .map((line) => `<${priorities[level]}>${line}\n`)
      .join('')
  const at = new Date(time).toLocaleTimeString('en-GB')
  const paint = { error: colors.red, warn: colors.yellow, info: colors.green, debug: colors.dim }[level]
  return `${colors.dim(at)} ${paint(level.padEnd(5))} ${text}\n`
}
