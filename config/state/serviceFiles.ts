/** Files of guarded services under OUTPOOL_HOME that one room writes and another reads, with their schemas. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from './readJson.js'
import { type Incident, incidentLayers } from '../../policy/service/incident.js'
import type { Home } from './home.js'

const instant = z.iso.datetime()

const ownBeatSchema = z.object({ by: z.string(), at: instant, doing: z.string().nullable() })

/** The last check of a service, as stored in `services/<name>/check.json`. */
const lastCheckSchema = z.object({
  at: instant,
  verdict: z.enum(['well', 'busy', 'blind', 'missing', 'frozen']),
  why: z.string(),
  nextCheckAt: instant,
  pid: z.number().int().nullable(),
  memory: z.object({
    beat: ownBeatSchema.nullable(),
    pid: z.number().int().nullable(),
    start: z.string().nullable(),
    staleSince: instant.nullable(),
    wellAt: instant.nullable(),
    sleptMs: z.number().default(0),
    wokeAt: instant.nullable().default(null),
    blockedAt: instant.nullable().default(null),
  }),
  /** Total size of the files of the busy check, so that growth is seen; null while no busy check was needed. */
  sizes: z.object({ bytes: z.number(), grewAt: instant.nullable() }).nullable(),
})
export type LastCheckFile = z.output<typeof lastCheckSchema>

const quoteSchema = z.object({ at: instant, title: z.string(), text: z.string() })

/** An incident, as stored in `incidents/<n>-<service>.json` beside its report. */
const incidentSchema = z.object({
  n: z.number().int().positive(),
  service: z.string(),
  wellAt: instant.nullable(),
  openedAt: instant,
  closedAt: instant.nullable(),
  outcome: z.enum(['recovered', 'healed', 'given-up']).nullable(),
  timeline: z.array(z.object({ at: instant, layer: z.enum(incidentLayers), what: z.string() })),
  evidence: z.array(quoteSchema),
  said: z.array(quoteSchema),
})

export const serviceFolder = (home: Home, service: string): string => join(home.services, service)
export const lastCheckFile = (home: Home, service: string): string =>
  join(serviceFolder(home, service), 'check.json')

const incidentName = ({ n, service }: Pick<Incident, 'n' | 'service'>): string => `${n}-${service}`
export const incidentFile = (home: Home, incident: Pick<Incident, 'n' | 'service'>): string =>
  join(home.incidents, `${incidentName(incident)}.json`)
export const incidentReportFile = (home: Home, incident: Pick<Incident, 'n' | 'service'>): string =>
  join(home.incidents, `${incidentName(incident)}.md`)

/** Null if the service was not checked yet, or if the file is from another version. */
export function readLastCheck(home: Home, service: string): LastCheckFile | null {
  return readJson(lastCheckFile(home, service), lastCheckSchema)
}

/** Every incident of this host, oldest first. Files that cannot be read are skipped. */
export function readIncidents(home: Home): Incident[] {
  return readdirSync(home.incidents)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => readJson(join(home.incidents, file), incidentSchema) ?? [])
    .sort((a, b) => a.n - b.n)
}
