/** `outpool report`: the page for the morning, from this host's own files, so that it needs no engine and no worker. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Colors } from 'picocolors/types.js'
import { describeEvent } from '../../config/events/describe.js'
import { EventReader } from '../../config/events/files.js'
import { openHome } from '../../config/state/home.js'
import { counted } from '../../policy/formatCount.js'
import { describeDuration, describeShortDuration } from '../../policy/instants.js'
import { type CommandContext, print, printJson } from '../commandContext.js'
import { FailedError, UsageError } from '../errors.js'
import { sinceOf } from '../output/events.js'
import { fit } from '../output/terminal.js'
import { formatLocalClock } from '../output/times.js'
import { reportPage } from '../report/page.js'
import { isRescue, type Report, reportOf } from '../report/report.js'
import { messageOf } from '../../policy/errorFacts.js'

export function report(context: CommandContext): Promise<void> {
  const now = new Date()
  const since = new Date(sinceOf(context.option('since') ?? '24h', now))
  const file = context.option('html')
  if (file !== null && context.json)
    throw new UsageError('both --json and --html are given', 'give only one of them')
  const found = reportOf(new EventReader(openHome()).next(), since, now)
  if (file !== null) {
    writePage(file, reportPage(found, now))
    print(`the report is in ${resolve(file)}`)
  } else if (context.json) printJson(found)
  else print(renderReport(found, now, context.colors, context.width))
  return Promise.resolve()
}

/** Only its owner may read it: it names sessions and accounts. Throws FailedError. */
function writePage(file: string, page: string): void {
  try {
    writeFileSync(file, page, { mode: 0o600 })
  } catch (error) {
    throw new FailedError(
      `the report cannot be written to ${file}: ${messageOf(error)}`,
      'name a file in a folder that you may write to',
      { cause: error },
    )
  }
}

function renderReport(report: Report, now: Date, colors: Colors, width: number): string {
  const { moves, waiting, parks, parked, walls, incidents, failures, savedMs, parkedMs } = report
  const at = (instant: string): string => formatLocalClock(instant, now)
  const rescues = moves.filter(isRescue).length
  const slowest = Math.max(0, ...moves.map(({ ms }) => ms))
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0
      ? []
      : ['', colors.bold(title), ...lines.map((line) => fit(`  ${line}`, Math.max(width, 20)))]
  return [
    colors.bold(`Since ${at(report.since)}`),
    `  ${counted(moves.length, 'move')}, ${rescues} of them from a wall${moves.length === 0 ? '' : `; the slowest took ${describeShortDuration(slowest)}`}`,
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
      'Parks',
      parks.map(
        ({ at: when, session, from, cause, parkedMs: ms }) =>
          `${at(when)}  ${session}: ${from ?? 'nowhere'} -> parked (${cause}), ${ms === null ? 'still parked' : describeDuration(ms)}`,
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
        ({ n, service, at: when, sign, restarts, downMs, escalation }) =>
          `${at(when)}  ${n} ${service}: ${sign}; ${counted(restarts, 'restart')}; ${downMs === null ? 'not well again yet' : `well again after ${describeDuration(downMs)}`}${escalation === null ? '' : `; escalation: ${escalation}`}`,
      ),
    ),
    ...section(
      'What failed',
      failures.map((event) => `${at(event.at)}  ${describeEvent(event, now)}`),
    ),
  ].join('\n')
}
