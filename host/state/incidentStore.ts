/** The incidents of this host: for each the data, and a report for people that is made from it. */
import { readdirSync } from 'node:fs'
import { withoutSecrets } from '../../config/secrets/known.js'
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
import { log } from '../log.js'

export class IncidentStore {
  readonly #home: Home

  constructor(home: Home) {
    this.#home = home
  }

  /** Returns the service's open incident, or opens a new one. */
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

  /** Does nothing if the incident does not exist or is closed. */
  note(n: number, layer: IncidentEntry['layer'], what: string): void {
    this.#change(n, (incident) => withEntry(incident, { at: now(), layer, what: withoutSecrets(what) }))
  }

  /** Known secrets are removed: the report goes to a person, and to the next agent. */
  quote(n: number, kind: 'evidence' | 'said', { title, text }: Omit<Quote, 'at'>): void {
    const quote = { at: now(), title, text: withoutSecrets(text) }
    this.#change(n, (incident) => withQuote(incident, kind, quote))
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

  /** A full disk costs a line of the report, but does not stop a restart. */
  #save(incident: Incident): void {
    try {
      writeFileAtomic(incidentFile(this.#home, incident), JSON.stringify(incident))
      writeFileAtomic(
        incidentReportFile(this.#home, incident),
        incidentReport(incident, now(), 'with-quotes'),
      )
    } catch (error) {
      log.error({ err: error }, `the report of incident ${incident.n} could not be written`)
    }
  }

  /** Taken from the file names, so that no number is used twice even if a file is unreadable. */
  #nextNumber(): number {
    const taken = readdirSync(this.#home.incidents).map((name) => Number(/^(\d+)-/.exec(name)?.[1] ?? 0))
    return Math.max(0, ...taken) + 1
  }
}

const now = (): string => new Date().toISOString()
