/**
 * Draws the panels of the Grafana dashboard as one HTML page, from a real Prometheus: Grafana itself is not part of Debian, and would
 * need a container (docs/decisions/0030-metrics-with-opentelemetry.md).
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { escapeHtml } from '../../client/report/plot.js'
import type { Prometheus, Series } from '../../lab/prometheus.js'

const panelSchema = z.object({
  type: z.enum(['row', 'stat', 'timeseries']),
  title: z.string(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.object({ expr: z.string(), legendFormat: z.string().default('') })).default([]),
})
type Panel = z.output<typeof panelSchema>

const dashboard = new URL('../../deploy/grafana/outpool.json', import.meta.url)

/** Rows of the dashboard's grid that are drawn; the rest concerns the worker and the engine. */
const rowsDrawn = 47
/** Pixels of one cell of the grid. */
const cell = { width: 58, height: 26 }
const colors = ['#2563eb', '#c2410c', '#15803d', '#7c3aed', '#b91c1c', '#0e7490', '#a16207', '#475569']

/** Between two instants, in ms since the epoch. */
export async function dashboardPage(prometheus: Prometheus, from: number, to: number): Promise<string> {
  const { panels } = z
    .object({ panels: z.array(panelSchema) })
    .parse(JSON.parse(readFileSync(dashboard, 'utf8')))
  const drawn = panels.filter(({ gridPos: { y } }) => y < rowsDrawn)
  const boxes = await Promise.all(
    drawn.map(async (panel) => boxOf(panel, await seriesOf(panel, prometheus, from, to), from, to)),
  )
  return `<!doctype html><meta charset="utf-8"><title>Outpool</title><style>
body { margin: 0; font: 13px/1.4 system-ui, sans-serif; background: #f4f5f5; position: relative; height: ${rowsDrawn * cell.height}px; width: ${24 * cell.width}px; }
div { position: absolute; box-sizing: border-box; padding: 6px 10px; background: #fff; border: 3px solid #f4f5f5; overflow: hidden; }
div.row { background: none; font-weight: 600; } b { font-weight: 600; } big { font-size: 30px; display: block; } svg { display: block; }
span { margin-right: 10px; white-space: nowrap; font-size: 11px; } i { display: inline-block; width: 10px; height: 3px; margin-right: 4px; vertical-align: middle; }
text { font-size: 10px; fill: #555; }
</style>${boxes.join('')}`
}

type Drawn = Series & { name: string }

async function seriesOf(panel: Panel, prometheus: Prometheus, from: number, to: number): Promise<Drawn[]> {
  const found = await Promise.all(
    panel.targets.map(async ({ expr, legendFormat }) => {
      const query = expr.replaceAll('$job', '.*').replaceAll('$__rate_interval', '30s')
      const series = await prometheus.queryRange(query, from, to)
      return series.map((one) => ({
        ...one,
        name: legendFormat.replaceAll(/{{(\w+)}}/g, (_, label: string) => one.labels[label] ?? ''),
      }))
    }),
  )
  return found.flat()
}

function boxOf({ type, title, gridPos }: Panel, series: readonly Drawn[], from: number, to: number): string {
  const size = { width: gridPos.w * cell.width, height: gridPos.h * cell.height }
  const place = `left:${gridPos.x * cell.width}px;top:${gridPos.y * cell.height}px;width:${size.width}px;height:${size.height}px`
  const content = type === 'row' ? '' : type === 'stat' ? statOf(series) : plotOf(series, size, from, to)
  return `<div class="${type}" style="${place}"><b>${escapeHtml(title)}</b>${content}</div>`
}

const shown = (value: number): string =>
  String(value < 100 ? Math.round(value * 100) / 100 : Math.round(value))

const statOf = (series: readonly Drawn[]): string =>
  `<big>${shown(series[0]?.points.at(-1)?.value ?? 0)}</big>`

const margin = { left: 48, right: 24, legend: 76 }

function plotOf(
  all: readonly Drawn[],
  size: { width: number; height: number },
  from: number,
  to: number,
): string {
  const series = all.map((one) => ({
    ...one,
    points: one.points.filter(({ value }) => Number.isFinite(value)),
  }))
  const width = size.width - margin.right
  const height = size.height - margin.legend
  const values = series.flatMap(({ points }) => points.map(({ value }) => value))
  const largest = Math.max(...values, Number.MIN_VALUE)
  const x = (at: number): number =>
    margin.left + ((at - from) / Math.max(1, to - from)) * (width - margin.left)
  const y = (value: number): number => height - 4 - (value / largest) * (height - 16)
  const lines = series.map(({ points }, index) => {
    const path = points.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
    return `<polyline points="${path}" fill="none" stroke="${colorOf(index)}" stroke-width="1.5"/>`
  })
  const axis = [0, largest].map(
    (value) => `<text x="${margin.left - 4}" y="${y(value) + 3}" text-anchor="end">${shown(value)}</text>`,
  )
  const legend = series.map(
    ({ name }, index) => `<span><i style="background:${colorOf(index)}"></i>${escapeHtml(name)}</span>`,
  )
  return `<svg width="${width}" height="${height}">${axis.join('')}${lines.join('')}</svg>${legend.join('')}`
}

const colorOf = (index: number): string => colors[index % colors.length] ?? ''
