/** Events as lines on a terminal, in the words of the worker's log. */
import type { Colors } from 'picocolors/types.js'
import { describeEvent, levelOf } from '../../config/events/describe.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import { clock } from './times.js'

export function eventLine(event: OutpoolEvent, colors: Colors, now: Date): string {
  const paint = { error: colors.red, warn: colors.yellow, info: String, debug: colors.dim }[levelOf(event)]
  return `${colors.dim(clock(event.at, now))}  ${paint(describeEvent(event, now))}`
}

export const isAboutSession = (event: OutpoolEvent, name: string): boolean =>
  'session' in event && event.session === name
