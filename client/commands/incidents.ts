/** `outpool incidents` and `outpool incidents show N`: read from this host's own files, so they need no engine. */
import { readFileSync } from 'node:fs'
import type { Colors } from 'picocolors/types.js'
import { openHome } from '../../config/state/home.js'
import { incidentReportFile, readIncidents } from '../../config/state/serviceFiles.js'
import { describeDuration } from '../../policy/instants.js'
import { downtimeMs, type Incident } from '../../policy/service/incident.js'
import { type CommandContext, print, printJson } from '../commandContext.js'
import { FailedError, UsageError } from '../errors.js'
import { type Column, renderTable } from '../output/table.js'
import { formatLocalClock } from '../output/times.js'

export function incidents(context: CommandContext): Promise<void> {
  if (context.args[0] === 'show') show(context)
  else list(context)
  return Promise.resolve()
}

function list(context: CommandContext): void {
  const found = readIncidents(openHome())
  const now = new Date()
  if (context.json) printJson(found.map((incident) => rowOf(incident, now)))
  else if (found.length === 0) print('No incidents: no guarded service has failed.')
  else print(renderTable(found, columnsFor(context.colors, now), context.width, context.colors))
}

const rowOf = (incident: Incident, now: Date): object => {
  const { n, service, wellAt, openedAt, closedAt, outcome } = incident
  const [first] = incident.timeline
  return {
    ...{ n, service, wellAt, openedAt, closedAt, outcome },
    ...{ downMs: downtimeMs(incident, now.toISOString()), sign: first?.what ?? null },
  }
}

function columnsFor(colors: Colors, now: Date): Column<Incident>[] {
  return [
    { title: 'N', text: ({ n }) => String(n), align: 'right' },
    { title: 'SERVICE', text: ({ service }) => service, paint: (text) => colors.bold(text), shrink: 'end' },
    { title: 'NOTICED', text: ({ openedAt }) => formatLocalClock(openedAt, now) },
    {
      title: 'DOWN FOR',
      text: (incident) => describeDuration(downtimeMs(incident, now.toISOString())),
      align: 'right',
    },
    {
      title: 'OUTCOME',
      text: ({ outcome }) => outcome ?? 'open',
      paint: (text, { outcome }) => (outcome === null ? colors.red(text) : text),
    },
    { title: 'FIRST SIGN', text: ({ timeline }) => timeline[0]?.what ?? '-', shrink: 'end', least: 12 },
  ]
}

function show(context: CommandContext): void {
  const wanted = context.argument(1, 'N')
  if (!/^\d{1,9}$/.test(wanted))
    throw new UsageError(
      `${wanted} is not the number of an incident`,
      'see the numbers with `outpool incidents`',
    )
  const home = openHome()
  const incident = readIncidents(home).find(({ n }) => n === Number(wanted))
  if (incident === undefined)
    throw new FailedError(`there is no incident ${wanted} on this host`, 'see them with `outpool incidents`')
  if (context.json) printJson(incident)
  else print(readFileSync(incidentReportFile(home, incident), 'utf8').trimEnd())
}
