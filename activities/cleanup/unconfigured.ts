/** Removes files of past incidents, and of tasks and accounts that the configuration no longer names. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { incidentFile, incidentReportFile, readIncidents } from '../../config/state/serviceFiles.js'
import { expired, isIncidentPast } from '../../policy/retention.js'
import type { Host } from '../../host/host.js'
import { wakeUpFile } from '../services/prepareWakeUp.js'
import { lastChangedAt, listEntries, listFolders } from './entries.js'

/** Returns how many incidents it removed. */
export function removeIncidents({ home, config }: Host, now: number): number {
  const guarded = config.services.map(({ name }) => name)
  const incidents = readIncidents(home)
  const newest = incidents.at(-1)?.n ?? 0
  const past = incidents
    .filter((incident) => isIncidentPast(incident, newest, guarded))
    .map((incident) => ({ incident, changedAt: Date.parse(incident.closedAt ?? incident.openedAt) }))
  const due = expired(past, config.keep.incidents, now)
  // The data is removed last: as long as it exists, the next cleanup finds the incident's other files.
  for (const { incident } of due)
    for (const file of [wakeUpFile, incidentReportFile, incidentFile])
      rmSync(file(home, incident), { force: true })
  return due.length
}

/** Returns how many folders and files it removed. */
export function removeUnconfigured({ home, config }: Host, now: number): number {
  const { pool, reserved, substrates, reservedSubstrates, tasks, keep } = config
  const places = [...pool.accounts, ...reserved, ...substrates, ...reservedSubstrates].map(({ name }) => name)
  const named = new Set([
    ...tasks.map(({ name }) => join(home.tasks, name)),
    ...places
      .flatMap((name) => [`${name}.json`, `${name}.spent.json`, `${name}.usage.json`])
      .map((file) => join(home.quota, file)),
  ])
  const due = [...listFolders(home.tasks), ...listEntries(home.quota)].filter(
    ({ path }) => !named.has(path) && now - lastChangedAt(path) > keep.unnamed,
  )
  for (const { path } of due) rmSync(path, { recursive: true, force: true })
  return due.length
}
