/** A small line chart as SVG, readable on light and dark pages. */
import type { Chart } from './harness.js'

const width = 720
const height = 300
const margin = { left: 56, right: 150, top: 34, bottom: 44 }
const colours = ['#2563eb', '#f97316', '#16a34a', '#9333ea', '#dc2626', '#0891b2']

export function svgOf({ title, x, y, curves }: Chart): string {
  const all = curves.flatMap(({ points }) => points)
  const xTop = niceTop(Math.max(...all.map(([at]) => at)))
  const yTop = niceTop(Math.max(...all.map(([, value]) => value)))
  const toX = (at: number): number => margin.left + (at / xTop) * (width - margin.left - margin.right)
  const toY = (value: number): number =>
    height - margin.bottom - (value / yTop) * (height - margin.top - margin.bottom)
  const fixed = (value: number): string => value.toFixed(1)
  const ticks = [0, 0.25, 0.5, 0.75, 1]
  const grid = ticks.flatMap((share) => [
    `<line x1="${margin.left}" x2="${width - margin.right}" y1="${fixed(toY(share * yTop))}" y2="${fixed(toY(share * yTop))}" stroke="#8884"/>`,
    text(margin.left - 6, toY(share * yTop) + 4, label(share * yTop), 'end'),
    text(toX(share * xTop), height - margin.bottom + 16, label(share * xTop), 'middle'),
  ])
  const lines = curves.flatMap(({ name, points }, index) => {
    const colour = colours[index % colours.length] ?? '#888'
    const path = points.map(([at, value]) => `${fixed(toX(at))},${fixed(toY(value))}`).join(' ')
    const legendY = margin.top + 8 + index * 18
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path}"/>`,
      `<line x1="${width - margin.right + 10}" x2="${width - margin.right + 26}" y1="${legendY - 4}" y2="${legendY - 4}" stroke="${colour}" stroke-width="3"/>`,
      text(width - margin.right + 32, legendY, name, 'start'),
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#888">`,
    text(margin.left, 18, title, 'start'),
    ...grid,
    text((margin.left + width - margin.right) / 2, height - 8, x, 'middle'),
    `<text transform="translate(14 ${(height - margin.bottom + margin.top) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}

const text = (x: number, y: number, content: string, anchor: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(content)}</text>`

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const label = (value: number): string => String(Number(value.toPrecision(3)))

/** The next of 1, 2, 4, 5, 8, 10 in its power of ten, so that its quarters are round too. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)))
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power
}
