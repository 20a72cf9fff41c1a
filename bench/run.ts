/**
 * `npm run bench [-- NAME ...] [-- --runs N] [--sessions N] [--json FILE] [--write]`: prints a table of
 * figures; `--write` stores them in docs/performance.json, by measure and size, and generates
 * docs/performance.md and README.md from everything stored. `--page` only generates, and measures nothing.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Measure, type Measured, runMeasure } from './harness.js'
import { growth } from './growth.js'
import { herd, heavyHerd, realHerd } from './herd.js'
import { ls } from './ls.js'
import { outage } from './outage.js'
import { quiet } from './quiet.js'
import { reports } from './reports.js'
import { rescue } from './rescue.js'
import { factsOf, publish, table } from './report.js'
import { restart } from './restart.js'
import { trouble } from './trouble.js'

const measures: Measure[] = [
  rescue,
  reports,
  outage,
  ls,
  quiet,
  restart,
  herd,
  heavyHerd,
  realHerd,
  trouble,
  growth,
]

const { values, positionals } = parseArgs({
  options: {
    runs: { type: 'string' },
    sessions: { type: 'string' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const isCount = (text: string | undefined): boolean => text === undefined || /^[1-9]\d*$/.test(text)
const order = measures.map(({ name }) => name)
const isWrong = positionals.some((name) => !order.includes(name))
if (isWrong || !isCount(values.runs) || !isCount(values.sessions)) {
  console.error(
    `usage: npm run bench [-- ${order.join('|')} ...] [--runs N] [--sessions N] [--json FILE] [--write | --page]`,
  )
  process.exit(2)
}

if (values.page) {
  publish([], order)
  process.exit(0)
}

const all: Measured[] = []
for (const measure of measures) {
  if (positionals.length > 0 && !positionals.includes(measure.name)) continue
  console.error(`${measure.name}: ${measure.description} ...`)
  const runs = Number(values.runs ?? measure.runs)
  const sessions = values.sessions === undefined ? null : Number(values.sessions)
  all.push(await runMeasure(measure, { runs, sessions }))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, null, 2)}\n`)
}
console.log([table(all), factsOf(all)].join('\n\n'))
if (values.write) publish(all, order)
process.exit(0)
