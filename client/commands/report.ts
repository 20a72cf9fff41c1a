/** `outpool report`: the page for the morning, from this host's own files, so that it needs no engine and no worker. */
import type { Colors } from 'picocolors/types.js'
import { describeEvent } from '../../config/events/describe.js'
import { EventReader } from '../../config/events/files.js'
import { openHome } from '../../config/state/home.js'
import { describeDuration, describeShortDuration } from '../../policy/instants.js'
import { type CommandContext, print, printJson } from '../commandContext.js'
import { sinceOf } from '../output/events.js'
import { fit } from '../output/terminal.js'
import { clock } from '../output/times.js'
import { type Report, reportOf } from '../report/report.js'

export function report(context: CommandContext): Promise<void> {
  const now = new Date()
  const since = new Date(sinceOf(context.option('since') ?? '24h', now))
  const found = reportOf(new EventReader(openHome()).next(), since, now)
  if (context.json) printJson(found)
  else print(renderReport(found, now, context.colors, context.width))
  return Promise.resolve()
}

function renderReport(report: Report, now: Date, colors: Colors, width: number): string {
  const { moves, waiting, parked, walls, incidents, failures, savedMs, parkedMs } = report
  const at = (instant: string): string => clock(instant, now)
  const rescues = moves.filter(({ wall }) => wall !== null).length
  const slowest = Math.max(0, ...moves.map(({ ms }) => ms))
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0
      ? []
      : ['', colors.bold(title), ...lines.map((line) => fit(`  ${line}`, Math.max(width, 20)))]
  return [
    colors.bold(`Since ${at(report.since)}`),
    `  ${moves.length} moves, ${rescues} of them from a wall${moves.length === 0 ? '' : `; the slowest took ${describeShortDuration(slowest)}`}`,
    `  ${describeDuration(savedMs)} of waiting saved; sessions were parked for ${describeDuration(parkedMs)}`,
    ...section(
      'Waits for a person now',
      waiting.map(({ name, why, since }) => `${name}: ${why}, since ${at(since)}`),
    ),
    ...section(
      'Parked now',
      parked.map(
        ({ session, since, until, why }) =>
          `${session}: since ${at(since)}${until === null ? '' : `, until ${at(until)}`}: ${why}`,
      ),
    ),
    ...section(
      'Moves',
      moves.map(
        ({ at: when, session, cause, from, to, ms }) =>
          `${at(when)}  ${session}: ${from ?? 'nowhere'} -> ${to} (${cause}), ${describeShortDuration(ms)}`,
      ),
    ),
    ...section(
      'Walls',
      walls.map(
        ({ account, count, walledMs }) => `${account}: ${count}, walled for ${describeDuration(walledMs)}`,
      ),
    ),
    ...section(
      'Incidents',
      incidents.map(
        ({ n, service, at: when, sign, downMs, escalation }) =>
          `${at(when)}  ${n} ${service}: ${sign}; ${downMs === null ? 'not well again yet' : `well again after ${describeDuration(downMs)}`}${escalation === null ? '' : `; escalation: ${escalation}`}`,
      ),
    ),
    ...section(
      'What failed',
      failures.map((event) => `${at(event.at)}  ${describeEvent(event, now)}`),
    ),
  ].join('\n')
}
