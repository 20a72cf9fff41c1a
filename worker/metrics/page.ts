/** The tables of docs/metrics.md, made from the catalog. */
import { markdownTable } from '../../config/events/page.js'
import { labels, type Metric, metrics } from './catalog.js'

const begin = '<!-- Made by `npx tsx worker/metrics/writePage.ts`. -->\n\n'
const end = '\n<!-- The end of what is made. -->'

/** The page with its tables made again. */
export function withTables(page: string): string {
  const [before = '', rest = ''] = page.split(begin)
  const [, after = ''] = rest.split(end)
  return `${before}${begin}${tables()}${end}${after}`
}

function tables(): string {
  const rows = metrics.map((metric) => [`\`${metric.name}\``, metric.kind, labelsOf(metric), metric.meaning])
  const meanings = Object.entries(labels).map(([name, meaning]) => [`\`${name}\``, meaning])
  return `${markdownTable([['metric', 'kind', 'labels', 'meaning'], ...rows])}\n${markdownTable([['label', 'meaning'], ...meanings])}`
}

const labelsOf = ({ labels: of }: Metric): string => of.map((label) => `\`${label}\``).join(', ')
