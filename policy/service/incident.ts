/** An incident of a service: what was seen, what each layer did, and how it ended. Everything in it stays on its host. */

export const incidentLayers = ['service', 'watchdog', 'wake-up', 'check', 'person'] as const
type IncidentLayer = (typeof incidentLayers)[number]

/** `recovered`: a restart of the watchdog's helped, or it came back by itself. `healed`: by the agent that was woken. */
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
  /** The last proof of life before it; null where there never was one. */
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

/** A service that restarts in a circle for weeks must not grow its report for ever: the beginning and the end tell most. */
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
  Math.max(0, Date.parse(closedAt ?? now) - Date.parse(wellAt ?? openedAt))

const outcomes: Record<IncidentOutcome, string> = {
  recovered: 'well again',
  healed: 'healed by the agent that was woken, and checked',
  'given-up': 'no longer guarded',
}

/** The report. Without its quotes where it leaves the host: output and answers may hold what is nobody else's business. */
export function incidentReport(
  incident: Incident,
  now: string,
  quotes: 'with-quotes' | 'without-quotes',
): string {
  const { n, service, wellAt, openedAt, closedAt, outcome, timeline, evidence, said } = incident
  const lines = [
    `# Incident ${n}: ${service}`,
    '',
    `- Last sign of life before it: ${wellAt ?? 'none'}`,
    `- Noticed: ${openedAt}`,
    `- Ended: ${closedAt ?? 'still open'}`,
    `- Down for: ${describeDuration(downtimeMs(incident, now))}${closedAt === null ? ' so far' : ''}`,
    `- Outcome: ${outcome === null ? 'open' : outcomes[outcome]}`,
    '',
    '## Timeline',
    '',
    ...timeline.map(({ at, layer, what }) => `- ${at} **${layer}**: ${oneLine(what)}`),
  ]
  if (quotes === 'with-quotes')
    lines.push(...section('What it printed last', evidence), ...section('What the agent said', said))
  return `${lines.join('\n')}\n`
}

function section(title: string, quotes: readonly Quote[]): string[] {
  if (quotes.length === 0) return []
  const parts = quotes.flatMap(({ at, title, text }) => {
    const fence = fenceFor(text)
    return ['', `### ${oneLine(title)} (${at})`, '', `${fence}text`, text.trimEnd(), fence]
  })
  return ['', `## ${title}`, ...parts]
}

/** Longer than any run of backticks inside, so that quoted text cannot end its own quote. */
const fenceFor = (text: string): string =>
  '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)))

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** `12 s`, `5 min`, `3 h 5 min`. */
export function describeDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
