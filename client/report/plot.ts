/** Plots as inline SVG, without scripts, fonts or anything else from outside: pure functions of what they show. */

/** For text and for attribute values in double quotes. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

export interface Bar {
  label: string
  /** Parts from the axis on, each with a class of the page's style. */
  parts: readonly { value: number; style: string }[]
  /** What the whole bar stands for, in words. */
  says: string
}

const width = 720
const rowHeight = 24
const labelWidth = 160
const saysWidth = 140

const totalOf = ({ parts }: Bar): number => parts.reduce((sum, { value }) => sum + value, 0)

/** Horizontal bars, one below the other. */
export function barPlot(title: string, bars: readonly Bar[]): string {
  const largest = Math.max(...bars.map(totalOf), Number.MIN_VALUE)
  const room = width - labelWidth - saysWidth
  const rows = bars.map((bar, index) => {
    const y = index * rowHeight
    let x = labelWidth
    const parts = bar.parts.map(({ value, style }) => {
      const length = round((value / largest) * room)
      const shape = rect({ x, y: y + 4, width: length, height: rowHeight - 8, style })
      x += length
      return shape
    })
    return [
      text({ x: labelWidth - 8, y: y + 17, anchor: 'end' }, bar.label),
      ...parts,
      text({ x: x + 8, y: y + 17, anchor: 'start' }, bar.says),
    ].join('')
  })
  return svg(title, Math.max(1, bars.length) * rowHeight, rows.join(''))
}

const columnHeight = 120
const axisHeight = 20

/** Columns side by side, such as one for each hour. Every `labelEvery`th has its label below it. */
export function columnPlot(title: string, bars: readonly Bar[], labelEvery: number): string {
  const largest = Math.max(...bars.map(totalOf), Number.MIN_VALUE)
  const step = width / Math.max(1, bars.length)
  const columns = bars.map((bar, index) => {
    const x = round(index * step)
    let y = columnHeight
    const parts = bar.parts.map(({ value, style }) => {
      const height = round((value / largest) * (columnHeight - 8))
      y -= height
      return rect({ x: x + 1, y: round(y), width: round(Math.max(1, step - 2)), height, style })
    })
    const label =
      index % labelEvery === 0 ? text({ x, y: columnHeight + 15, anchor: 'start' }, bar.label) : ''
    return `<g><title>${escapeHtml(`${bar.label}: ${bar.says}`)}</title>${parts.join('')}${label}</g>`
  })
  const axis = `<line class="axis" x1="0" y1="${columnHeight}" x2="${width}" y2="${columnHeight}"/>`
  return svg(title, columnHeight + axisHeight, `${columns.join('')}${axis}`)
}

const round = (value: number): number => Math.round(value * 10) / 10

function svg(title: string, height: number, content: string): string {
  const name = escapeHtml(title)
  return `<svg role="img" aria-label="${name}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><title>${name}</title>${content}</svg>`
}

function rect({
  x,
  y,
  width: w,
  height,
  style,
}: Record<'x' | 'y' | 'width' | 'height', number> & { style: string }): string {
  return `<rect class="${escapeHtml(style)}" x="${x}" y="${y}" width="${w}" height="${height}"/>`
}

function text({ x, y, anchor }: { x: number; y: number; anchor: 'start' | 'end' }, words: string): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeHtml(words)}</text>`
}
