/** Figures as people read them: a table, the facts beside it, a chart, and the page that they stand on. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { svgOf } from './chart.js'
import { compared, type Measured, median, type Row, type Unit } from './harness.js'

const units: Record<Unit, string> = { ms: ' ms', s: ' s', '%': ' %', MB: ' MB', KB: ' KB', count: '' }

const figure = (value: number, unit: Unit): string => {
  const digits = unit === 'count' || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

/** Median, least and most. */
export function span(values: readonly number[], unit: Unit): string {
  if (values.length === 0) return '–'
  const middle = `${figure(median(values), unit)}${units[unit]}`
  if (values.length === 1) return middle
  return `${middle} (${figure(Math.min(...values), unit)}–${figure(Math.max(...values), unit)})`
}

function comparedCell(row: Row): string {
  const found = compared(row)
  if (found === null || row.goal === null || 'atMost' in row.goal) return '–'
  if ('ratio' in row.goal) return `${found.value.toFixed(2)} ×`
  return `${figure(found.value, row.unit)}${units[row.unit]} over`
}

function goalCell(row: Row): string {
  const found = compared(row)
  if (found === null || row.goal === null) return '–'
  const verdict = found.value <= found.limit ? 'reached' : '**missed**'
  if ('ratio' in row.goal) return `≤ ${row.goal.ratio} ×: ${verdict}`
  if ('over' in row.goal) return `≤ ${row.goal.over}${units[row.unit]} over: ${verdict}`
  return `≤ ${row.goal.atMost}${units[row.unit]}: ${verdict}`
}

export function table(all: readonly Measured[]): string {
  const rows = all.flatMap(({ rows: found }) => found)
  const lines = rows.map((row) => {
    const { says, unit, product, floor } = row
    const cells = [says, span(product, unit), span(floor, unit), comparedCell(row), goalCell(row)]
    return `| ${cells.join(' | ')} |`
  })
  const head = [
    '| what | product: median (min–max) | floor: median (min–max) | compared | goal |',
    '| --- | --- | --- | --- | --- |',
  ]
  return [...head, ...lines].join('\n')
}

/** What was found besides, and on which machine. */
export function factsOf(all: readonly Measured[]): string {
  const machines = [...new Set(all.map(({ machine }) => machine))].map((machine) => `Measured on ${machine}.`)
  const lines = all.flatMap(({ says, at, load, facts }) => [
    `- ${says} (${at.slice(0, 10)}, begun at a load of ${load.toFixed(1)})`,
    ...Object.entries(facts ?? {}).map(([name, fact]) => `  - ${name}: ${fact}`),
  ])
  return [...machines, '', ...lines].join('\n')
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const store = file('../docs/performance.json')
const storeSchema = z.array(
  z.custom<Measured>((value) => z.looseObject({ name: z.string() }).safeParse(value).success),
)

/** Keeps the newest result of each measure in docs/performance.json, and makes the page, README and charts from it. */
export function publish(fresh: readonly Measured[], order: readonly string[]): void {
  const kept = existsSync(store) ? storeSchema.parse(JSON.parse(readFileSync(store, 'utf8'))) : []
  const all = order.flatMap((name) => [...fresh, ...kept].find((one) => one.name === name) ?? [])
  writeFileSync(store, JSON.stringify(all))
  const charts = all.flatMap(({ chart }) => chart ?? [])
  for (const chart of charts) writeFileSync(file(`../docs/pictures/bench-${chart.name}.svg`), svgOf(chart))
  const pictures = charts.map(({ name, title }) => `![${title}](pictures/bench-${name}.svg)`).join('\n\n')
  writeBetweenMarks(file('../docs/performance.md'), [table(all), pictures, factsOf(all)].join('\n\n'))
  writeBetweenMarks(file('../README.md'), table(all.filter(({ name }) => readmeNames.includes(name))))
  const prettier = createRequire(import.meta.url).resolve('prettier/bin/prettier.cjs')
  const written = [store, file('../docs/performance.md'), file('../README.md')]
  execFileSync(process.execPath, [prettier, '--log-level', 'warn', '--write', ...written])
}

/** The README shows what a user waits for; the page has everything. */
const readmeNames = ['rescue', 'reports', 'ls', 'herd']

/** Puts the figures between a file's marks. */
function writeBetweenMarks(path: string, content: string): void {
  const text = readFileSync(path, 'utf8')
  const marks = /(<!-- bench: begin[^>]*-->)[\s\S]*?(<!-- bench: end -->)/
  if (!marks.test(text)) throw new Error(`${path} has no marks for figures`)
  writeFileSync(
    path,
    text.replace(marks, (_all, begin: string, end: string) => `${begin}\n\n${content}\n\n${end}`),
  )
}
