/**
 * `npm run bench [-- rescue|reports|ls|all ...] [-- --runs N] [--json FILE] [--write]`: prints a table of figures;
 * `--write` puts it into docs/performance.md and README.md, and so needs all of them.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import {
  factsOf,
  isReached,
  machine,
  type Measure,
  type Measured,
  ratioOf,
  table,
  take,
  writeBetweenMarks,
} from './harness.js'
import { ls } from './ls.js'
import { hookReport, statusReport } from './reports.js'
import { rescue } from './rescue.js'

const measures: Measure[] = [rescue, hookReport, statusReport, ls]

const { values, positionals } = parseArgs({
  options: {
    runs: { type: 'string', default: '8' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const runs = Number(values.runs)
const names = [...new Set(measures.map(({ name }) => name)), 'all']
const isAll = positionals.length === 0 || positionals.includes('all')
const isWrong = !Number.isInteger(runs) || runs < 1 || positionals.some((name) => !names.includes(name))
if (isWrong || (values.write && !isAll)) {
  console.error(`usage: npm run bench [-- ${names.join('|')} ...] [--runs N] [--json FILE] [--write]`)
  console.error('  --write puts the whole table into the documents, so it goes with all measures only')
  process.exit(2)
}

const all: Measured[] = []
for (const measure of measures) {
  if (!isAll && !positionals.includes(measure.name)) continue
  console.error(`${measure.says} ...`)
  all.push(await take(measure, runs))
}
const on = machine()
const loads = all.map(({ load }) => load)
const range = `${Math.min(...loads).toFixed(1)}–${Math.max(...loads).toFixed(1)}`
const head = `Measured on ${on}, ${new Date().toISOString().slice(0, 10)}, load ${range}.`
const short = `${head}\n\n${table(all)}`
const whole = `${short}\n\nBesides:\n\n${factsOf(all)}`
console.log(whole)
if (values.json !== undefined) {
  const results = all.map(({ measure, result, load }) => ({
    ...{ name: measure.name, says: measure.says, goal: measure.goal, reached: isReached(measure, result) },
    ...{ load, ratio: ratioOf(result), ...result },
  }))
  writeFileSync(values.json, `${JSON.stringify({ machine: on, runs, results }, null, 2)}\n`)
}
if (values.write) {
  const files = { '../docs/performance.md': whole, '../README.md': short }
  const prettier = createRequire(import.meta.url).resolve('prettier/bin/prettier.cjs')
  for (const [name, content] of Object.entries(files)) {
    const file = new URL(name, import.meta.url)
    writeBetweenMarks(file, content)
    execFileSync(process.execPath, [prettier, '--log-level', 'warn', '--write', file.pathname])
  }
}
process.exit(0)
