/** Renders figures for people: a table, further facts, a chart, and the page that shows them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { svgOf } from './chart.js'
import { toRatio, type Measured, median, type Row, type Unit } from './harness.js'
import { laidOut } from '../lab/laidOut.js'
import { charts, merged, readStore, storeFile } from './store.js'

const units: Record<Unit, string> = { ms: ' ms', s: ' s', '%': ' %', MB: ' MB', KB: ' KB', count: '' }

const figure = (value: number, unit: Unit): string => {
  const digits = unit === 'count' || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

/** Median, minimum and maximum. */
export function span(values: readonly number[], unit: Unit): string {
  if (values.length === 0) return '–'
  const middle = `${figure(median(values), unit)}${units[unit]}`
  if (values.length === 1) return middle
  return `${middle} (${figure(Math.min(...values), unit)}–${figure(Math.max(...values), unit)})`
}

function comparedCell(entry: Row): string {
  const found = toRatio(entry)
  if (found === null || entry.goal === null || 'atMost' in entry.goal) return '–'
  if ('ratio' in entry.goal) return `${found.value.toFixed(2)} ×`
  return `${figure(found.value, entry.unit)}${units[entry.unit]} over`
}

function goalCell(entry: Row, { sessions, aims }: Pick<Measured, 'sessions' | 'aims'>): string {
  const found = toRatio(entry)
  if (found === null || entry.goal === null) return '–'
  const isSmall = sessions !== null && aims !== undefined && sessions < aims
  const reached = isSmall ? `reached with ${sessions}; the target is for ${aims}: open` : 'reached'
  const verdict = isMissed(entry) ? '**missed**' : reached
  if ('ratio' in entry.goal) return `≤ ${entry.goal.ratio} ×: ${verdict}`
  if ('over' in entry.goal) return `≤ ${entry.goal.over}${units[entry.unit]} over: ${verdict}`
  return `≤ ${entry.goal.atMost}${units[entry.unit]}: ${verdict}`
}

export function table(all: readonly Measured[]): string {
  const lines = all.flatMap((measured) =>
    measured.rows.map((entry) => {
      const { description, unit, product, floor } = entry
      const figures = [span(product, unit), span(floor, unit), comparedCell(entry), goalCell(entry, measured)]
      return `| ${[description, ...figures, `${measured.at.slice(0, 10)}, ${measured.commit}`].join(' | ')} |`
    }),
  )
  const head = [
    '| measure | Outpool: median (min–max) | floor: median (min–max) | compared | goal | measured, at commit |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  return [...head, ...lines].join('\n')
}

/** Further findings, and the machine they were made on. */
export function factsOf(all: readonly Measured[]): string {
  const machines = machinesOf(all)
  const lines = all.flatMap(({ description, sessions, machine, at, load, facts }) => {
    const size = sessions === null ? '' : `, ${sessions} sessions`
    const machineNote = machines.length > 1 ? ` on (${machines.indexOf(machine) + 1})` : ''
    return [
      `- ${description}${size} (${at.slice(0, 10)}${machineNote}, load at the start ${load.toFixed(1)})`,
      ...Object.entries(facts ?? {}).map(([name, fact]) => `  - ${name}: ${fact}`),
    ]
  })
  return [measuredOn(machines), '', ...lines].join('\n')
}

const machinesOf = (all: readonly Measured[]): string[] => [...new Set(all.map(({ machine }) => machine))]

const measuredOn = (machines: readonly string[]): string =>
  machines.map((one, n) => `Measured on ${machines.length > 1 ? `(${n + 1}) ` : ''}${one}.`).join('\n')

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The text between the marks of docs/performance.md. */
export function pageOf(all: readonly Measured[]): string {
  const pictures = charts(all).map(({ name, title }) => `![${title}](pictures/bench-${name}.svg)`)
  return [table(all), pictures.join('\n\n'), factsOf(all)].filter((part) => part !== '').join('\n\n')
}

/** The benchmarks that the README shows. */
const inReadme = ['rescue', 'reports', 'outage', 'ls', 'quiet', 'restart', 'herd', 'herd-heavy', 'herd-real']

const isMissed = (entry: Row): boolean => {
  const found = toRatio(entry)
  return entry.goal !== null && found !== null && found.value > found.limit
}

/** Of each benchmark, in its largest size: what it is about, and what misses its goal. The page has everything. */
export function readmeOf(all: readonly Measured[]): string {
  const shown = inReadme
    .flatMap((wanted) => all.filter(({ name }) => name === wanted).at(-1) ?? [])
    .map((measured) => ({
      ...measured,
      rows: measured.rows.filter((entry, n) => n === 0 || isMissed(entry)),
    }))
  return [measuredOn(machinesOf(shown)), table(shown)].join('\n\n')
}

/**
 * Stores fresh results in docs/performance.json, and generates page, README and charts from what is stored.
 */
export function publish(fresh: readonly Measured[], order: readonly string[]): void {
  const all = merged(readStore(), fresh, order)
  writeFileSync(storeFile, JSON.stringify(all))
  for (const chart of charts(all))
    writeFileSync(file(`../docs/pictures/bench-${chart.name}.svg`), svgOf(chart))
  writeBetweenMarks(file('../docs/performance.md'), pageOf(all))
  writeBetweenMarks(file('../README.md'), readmeOf(all))
}

/** Puts the figures between a file's marks. */
function writeBetweenMarks(path: string, content: string): void {
  const text = readFileSync(path, 'utf8')
  const marks = /(<!-- bench: begin[^>]*-->)[\s\S]*?(<!-- bench: end -->)/
  if (!marks.test(text)) throw new Error(`${path} has no marks for figures`)
  const filled = text.replace(marks, (_all, begin: string, end: string) => `${begin}\n\n${content}\n\n${end}`)
  writeFileSync(path, laidOut(path, filled))
}
