/** The report of an incident, for people. */
import { describeDuration } from '../../policy/instants.js'
import { downtimeMs, type Incident, type IncidentOutcome, type Quote } from '../../policy/service/incident.js'

const outcomes: Record<IncidentOutcome, string> = {
  recovered: 'well again',
  healed: 'healed by the agent that was woken, and checked',
  'given-up': 'no longer guarded',
}

/** The report in Markdown. It leaves the host only without its quotes: output and answers may hold what is private. */
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
    // The report of an open incident is written when something happens, and read later.
    `- Down for: ${describeDuration(downtimeMs(incident, now))}${closedAt === null ? ` at ${now}, and still down` : ''}`,
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
