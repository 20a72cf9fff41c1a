/** docs/performance.json: the newest result of each measure and size. The page is generated from it. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Chart, Measured } from './harness.js'

export const storeFile = fileURLToPath(new URL('../docs/performance.json', import.meta.url))

const rowSchema = z.strictObject({
  description: z.string(),
  unit: z.enum(['ms', 's', '%', 'MB', 'KB', 'count']),
  product: z.array(z.number()),
  floor: z.array(z.number()),
  goal: z
    .union([
      z.strictObject({ ratio: z.number() }),
      z.strictObject({ over: z.number() }),
      z.strictObject({ atMost: z.number() }),
    ])
    .nullable(),
  ratio: z.number().optional(),
})
const chartSchema = z.strictObject({
  ...{ name: z.string(), title: z.string(), x: z.string(), y: z.string() },
  curves: z.array(z.strictObject({ name: z.string(), points: z.array(z.tuple([z.number(), z.number()])) })),
})
const storeSchema = z.array(
  z.strictObject({
    ...{
      name: z.string(),
      description: z.string(),
      machine: z.string(),
      commit: z.string(),
      at: z.iso.datetime(),
    },
    load: z.number(),
    sessions: z.number().int().nullable(),
    aims: z.number().int().optional(),
    rows: z.array(rowSchema),
    facts: z.record(z.string(), z.string()).optional(),
    chart: chartSchema.optional(),
  }),
)

/** Empty if nothing was stored. Throws if the file is malformed. */
export function readStore(): Measured[] {
  if (!existsSync(storeFile)) return []
  return storeSchema.parse(JSON.parse(readFileSync(storeFile, 'utf8'))) as Measured[]
}

const keyOf = ({ name, sessions }: Pick<Measured, 'name' | 'sessions'>): string => `${name} ${sessions ?? ''}`

/** The newest of each measure and size, in the order of the measures, small sizes first. */
export function merged(
  kept: readonly Measured[],
  fresh: readonly Measured[],
  order: readonly string[],
): Measured[] {
  const newest = new Map<string, Measured>()
  for (const one of [...kept, ...fresh]) {
    const known = newest.get(keyOf(one))
    if (known === undefined || known.at <= one.at) newest.set(keyOf(one), one)
  }
  const place = ({ name }: Measured): number => (order.includes(name) ? order.indexOf(name) : order.length)
  return [...newest.values()].sort((a, b) => place(a) - place(b) || (a.sessions ?? 0) - (b.sessions ?? 0))
}

/**
 * One of each name. If several sizes drew the same chart, each contributes its points, and the newest value
 * of a point counts.
 */
export function charts(all: readonly Measured[]): Chart[] {
  const byName = new Map<string, Chart>()
  for (const { chart } of [...all].sort((a, b) => a.at.localeCompare(b.at))) {
    if (chart === undefined) continue
    const known = byName.get(chart.name)
    byName.set(chart.name, known?.x === chart.x && chart.x === 'sessions' ? joined(known, chart) : chart)
  }
  return [...byName.values()]
}

function joined(older: Chart, newer: Chart): Chart {
  const curves = newer.curves.map(({ name, points }) => {
    const before = older.curves.find((curve) => curve.name === name)?.points ?? []
    const kept = before.filter(([x]) => !points.some(([at]) => at === x))
    return { name, points: [...kept, ...points].sort(([a], [b]) => a - b) }
  })
  return { ...newer, curves }
}
