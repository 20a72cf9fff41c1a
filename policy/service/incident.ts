/** An incident of a service: its signs, what each layer did, and how it ended. The record stays on its host. */
import { toMs } from '../instants.js'

export const incidentLayers = ['service', 'watchdog', 'wake-up', 'check', 'person'] as const
type IncidentLayer = (typeof incidentLayers)[number]

/** `recovered`: a restart by the watchdog helped, or the service recovered by itself. `healed`: by a woken agent. */
export type IncidentOutcome = 'recovered' | 'healed' | 'given-up'

export interface IncidentEntry {
  at: string
  layer: IncidentLayer
  what: string
}

/** Something quoted: output of the service, or the words of the agent that was woken. */
export interface Quote {
  at: string
  title: string
  text: string
}

export interface Incident {
  n: number
  service: string
  /** The last proof of life before the incident, or null. */
  wellAt: string | null
  openedAt: string
  closedAt: string | null
  outcome: IncidentOutcome | null
  timeline: IncidentEntry[]
  /** What the service printed last, before each restart. */
  evidence: Quote[]
  /** What the woken agents said. */
  said: Quote[]
}

/** Bounds for a service that restarts for weeks: the beginning and the end of a report say most. */
const firstEntriesKept = 20
const entriesMax = 200
const quotesMax = 12
const quoteMaxChars = 8_000

export function withEntry(incident: Incident, entry: IncidentEntry): Incident {
  const all = [...incident.timeline, entry]
  const timeline =
    all.length <= entriesMax
      ? all
      : [...all.slice(0, firstEntriesKept), ...all.slice(firstEntriesKept - entriesMax)]
  return { ...incident, timeline }
}

export const withQuote = (incident: Incident, kind: 'evidence' | 'said', quote: Quote): Incident => {
  const text = quote.text.length <= quoteMaxChars ? quote.text : `…${quote.text.slice(-quoteMaxChars)}`
  return { ...incident, [kind]: [...incident[kind], { ...quote, text }].slice(-quotesMax) }
}

/** Milliseconds from the last proof of life to the end, or to `now` while it is open. */
export const downtimeMs = ({ wellAt, openedAt, closedAt }: Incident, now: string): number =>
  Math.max(0, toMs(closedAt ?? now) - toMs(wellAt ?? openedAt))
