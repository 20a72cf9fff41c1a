/** Events as lines on a terminal, in the words of the worker's log. */
import type { Colors } from 'picocolors/types.js'
import { describeEvent, levelOf } from '../../config/events/describe.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import { parseDuration } from '../../config/schema/units.js'
import { UsageError } from '../errors.js'
import { columnsOf, fit } from './terminal.js'
import { formatLocalClock } from './times.js'

/** In so many columns. */
export function eventLine(event: OutpoolEvent, colors: Colors, now: Date, columns = Infinity): string {
  const paint = { error: colors.red, warn: colors.yellow, info: String, debug: colors.dim }[levelOf(event)]
  const time = fit(formatLocalClock(event.at, now), columns)
  const room = Math.max(0, columns - columnsOf(time) - gap.length)
  return `${colors.dim(time)}${fit(gap, columns)}${paint(fit(describeEvent(event, now), room))}`
}

const gap = '  '

export const isAboutSession = (event: OutpoolEvent, name: string): boolean =>
  'session' in event && event.session === name

/** What `--since` says, a duration or an instant: ms since the epoch. Throws UsageError. */
export function sinceOf(given: string, now: Date): number {
  const ago = parseDuration(given)
  if (ago !== null) return now.getTime() - ago
  const instant = Date.parse(given)
  if (!Number.isNaN(instant)) return instant
  const remedy = 'write a duration such as 2h, or an instant'
  throw new UsageError(`--since cannot be ${JSON.stringify(given)}`, remedy)
}
