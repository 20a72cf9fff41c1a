/** `outpool report --html`: the report as one page that needs nothing else, and loads nothing. */
import { describeEvent } from '../../config/events/describe.js'
import { counted } from '../../policy/formatCount.js'
import { describeDuration, describeShortDuration } from '../../policy/instants.js'
import { formatLocalClock } from '../output/times.js'
import { type Bar, barPlot, columnPlot, escapeHtml } from './plot.js'
import { isRescue, type Report } from './report.js'

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; vertical-align: top; border-bottom: 1px solid #8884; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; } svg text { font-size: 12px; fill: currentColor; }
.rescue { fill: #c2410c; } .move { fill: #2563eb; } .wall { fill: #b91c1c; } .axis { stroke: currentColor; }
.needs { border-left: .3rem solid #c2410c; padding-left: .75rem; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }
`.trim()

/** No script runs and nothing is loaded, whatever the report says. */
const policy = "default-src 'none'; style-src 'unsafe-inline'"

/** A whole HTML document. Times of day are local. */
export function reportPage(report: Report, now: Date): string {
  const at = (instant: string): string => formatLocalClock(instant, now)
  const title = `Outpool since ${at(report.since)}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<title>${escapeHtml(title)}</title>
<style>
${style}
</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${summary(report)}
${sectionsOf(report, at, now).join('\n')}
</body>
</html>
`
}

function summary({ moves, savedMs, parkedMs }: Report): string {
  const rescues = moves.filter(isRescue).length
  const slowest = Math.max(0, ...moves.map(({ ms }) => ms))
  return [
    `<p>${counted(moves.length, 'move')}, ${rescues} of them from a wall`,
    moves.length === 0 ? '' : `; the slowest took ${describeShortDuration(slowest)}`,
    `. ${describeDuration(savedMs)} of waiting saved; sessions were parked for ${describeDuration(parkedMs)}.</p>`,
  ].join('')
}

function sectionsOf(report: Report, at: (instant: string) => string, now: Date): string[] {
  const { moves, waiting, parks, parked, walls, incidents, failures } = report
  return [
    section(
      'Waits for a person now',
      waiting.length === 0
        ? ''
        : `<div class="needs">${table(
            ['who', 'why', 'since'],
            waiting.map(({ name, why, since }) => [name, why, at(since)]),
          )}</div>`,
    ),
    section('Moves by hour', moves.length === 0 ? '' : `${movesByHour(report, now)}${movesKey}`),
    section('Walled time by account', walls.length === 0 ? '' : wallsByAccount(walls)),
    section(
      'Parked now',
      table(
        ['session', 'since', 'until', 'why'],
        parked.map(({ session, since, until, why }) => [
          ...[session, at(since), until === null ? 'a person acts' : at(until), why],
        ]),
      ),
    ),
    section(
      'Moves',
      table(
        ['at', 'session', 'from', 'to', 'cause', '#took'],
        moves.map(({ at: when, session, from, to, cause, ms }) => [
          ...[at(when), session, from ?? 'nowhere', to, cause, describeShortDuration(ms)],
        ]),
      ),
    ),
    section(
      'Parks',
      table(
        ['at', 'session', 'from', 'cause', 'for'],
        parks.map(({ at: when, session, from, cause, parkedMs }) => [
          ...[at(when), session, from ?? 'nowhere', cause],
          parkedMs === null ? 'still parked' : describeDuration(parkedMs),
        ]),
      ),
    ),
    section(
      'Incidents',
      table(
        ['at', 'n', 'service', 'sign', '#restarts', 'down for', 'escalation'],
        incidents.map(({ at: when, n, service, sign, restarts, downMs, escalation }) => [
          ...[at(when), String(n), service, sign, String(restarts)],
          ...[downMs === null ? 'not well again yet' : describeDuration(downMs), escalation ?? 'none'],
        ]),
      ),
    ),
    section(
      'What failed',
      table(
        ['at', 'what'],
        failures.map((event) => [at(event.at), describeEvent(event, now)]),
      ),
    ),
  ]
}

/** Nothing for a section without content. */
const section = (title: string, content: string): string =>
  content === '' ? '' : `<section><h2>${escapeHtml(title)}</h2>${content}</section>`

/** A title that begins with # is that of a column of numbers. Nothing without rows. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const styleOf = (index: number): string =>
    titles[index]?.startsWith('#') === true ? ' class="number"' : ''
  const cells = (tag: 'th' | 'td', texts: readonly string[]): string =>
    texts.map((text, index) => `<${tag}${styleOf(index)}>${escapeHtml(text)}</${tag}>`).join('')
  const head = cells(
    'th',
    titles.map((title) => title.replace(/^#/, '')),
  )
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table>`
}

const movesKey =
  '<p><svg class="key" aria-hidden="true" viewBox="0 0 1 1"><rect class="rescue" width="1" height="1"/></svg>from a wall<svg class="key" aria-hidden="true" viewBox="0 0 1 1"><rect class="move" width="1" height="1"/></svg>other moves</p>'

const hourMs = 3_600_000
const labelsShown = 8
/** A span of months has wider columns. */
const columnsMost = 96

function movesByHour({ moves, since, until }: Report, now: Date): string {
  const [from, to] = [Date.parse(since), Date.parse(until)]
  const step = Math.max(1, Math.ceil((to - from) / hourMs / columnsMost)) * hourMs
  const bars = Array.from({ length: Math.max(1, Math.ceil((to - from) / step)) }, (_, index): Bar => {
    const [begin, end] = [from + index * step, from + (index + 1) * step]
    const within = moves.filter(({ at }) => Date.parse(at) >= begin && Date.parse(at) < end)
    const rescues = within.filter(isRescue).length
    return {
      label: formatLocalClock(new Date(begin).toISOString(), now),
      parts: [
        { value: rescues, style: 'rescue' },
        { value: within.length - rescues, style: 'move' },
      ],
      says: `${counted(within.length, 'move')}, ${rescues} from a wall`,
    }
  })
  return columnPlot('Moves by hour', bars, Math.max(1, Math.ceil(bars.length / labelsShown)))
}

const wallsByAccount = (walls: Report['walls']): string =>
  barPlot(
    'Walled time by account',
    walls.map(({ account, count, walledMs }) => ({
      label: account,
      parts: [{ value: walledMs, style: 'wall' }],
      says: `${describeDuration(walledMs)}, ${counted(count, 'wall')}`,
    })),
  )
