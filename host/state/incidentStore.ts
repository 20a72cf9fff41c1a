/** Incidents of this host: one report each, for people, beside the data that it is made from. */
import { readdirSync } from 'node:fs'
import type { Home } from '../../config/state/home.js'
import { incidentFile, incidentReportFile, readIncidents } from '../../config/state/serviceFiles.js'
import {
  type Incident,
  type IncidentEntry,
  type IncidentOutcome,
  type Quote,
  withEntry,
  withQuote,
} from '../../policy/service/incident.js'
import { writeFileAtomic } from './atomicFile.js'
import { incidentReport } from './incidentReport.js'

export class IncidentStore {
  readonly #home: Home

  constructor(home: Home) {
    this.#home = home
  }

  /** The incident of the service that is open, or a new one: whoever notices it, there is one. */
  open(service: string, wellAt: string | null, sign: IncidentEntry): Incident {
    const known = this.findOpen(service)
    if (known) return known
    const incident: Incident = {
      ...{ n: this.#nextNumber(), service, wellAt, openedAt: sign.at, closedAt: null, outcome: null },
      ...{ timeline: [sign], evidence: [], said: [] },
    }
    this.#save(incident)
    return incident
  }

  findOpen(service: string): Incident | null {
    return (
      readIncidents(this.#home).findLast((one) => one.service === service && one.closedAt === null) ?? null
    )
  }

  /** Nothing happens where the incident is not there or is over: a late word changes no report. */
  note(n: number, layer: IncidentEntry['layer'], what: string): void {
    this.#change(n, (incident) => withEntry(incident, { at: now(), layer, what }))
  }

  quote(n: number, kind: 'evidence' | 'said', quote: Omit<Quote, 'at'>): void {
    this.#change(n, (incident) => withQuote(incident, kind, { at: now(), ...quote }))
  }

  close(n: number, outcome: IncidentOutcome, description: string, layer: IncidentEntry['layer']): void {
    this.#change(n, (incident) => ({
      ...withEntry(incident, { at: now(), layer, what: description }),
      ...{ closedAt: now(), outcome },
    }))
  }

  read(n: number): Incident | null {
    return readIncidents(this.#home).find((one) => one.n === n) ?? null
  }

  #change(n: number, change: (incident: Incident) => Incident): void {
    const incident = this.read(n)
    if (incident !== null && incident.closedAt === null) this.#save(change(incident))
  }

  /** A full disk costs a line of a report, never a restart. */
  #save(incident: Incident): void {
    try {
      writeFileAtomic(incidentFile(this.#home, incident), JSON.stringify(incident))
      writeFileAtomic(
        incidentReportFile(this.#home, incident),
        incidentReport(incident, now(), 'with-quotes'),
      )
    } catch (error) {
      console.error(`outpool: the report of incident ${incident.n} could not be written:`, error)
    }
  }

  /** From the names, so that a number is never given twice, whatever the files hold. */
  #nextNumber(): number {
    const taken = readdirSync(this.#home.incidents).map((name) => Number(/^(\d+)-/.exec(name)?.[1] ?? 0))
    return Math.max(0, ...taken) + 1
  }
}

const now = (): string => new Date().toISOString()
