/** Tables that fit the terminal: only columns that may shrink are cut. */
import type { Colors } from 'picocolors/types.js'
import { columnsOf, fit, oneLine } from './terminal.js'

export interface Column<Row> {
  title: string
  /** Plain text; `paint` adds colours after the text was fitted. */
  text: (entry: Row) => string
  paint?: (text: string, entry: Row) => string
  /** Cut here when the terminal is narrow; columns without it keep their width. */
  shrink?: 'end' | 'middle'
  /** Not narrower than this while other columns can shrink. */
  least?: number
  align?: 'right'
  /** Left out before any other column is cut; of several, the last first. */
  optional?: true
}

const gap = '  '
const plain = (text: string): string => text

/** Widths are those that all rows need; `only` leaves out the rows before `from`, and from `to` on. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number,
  colors: Colors,
  only: { from: number; to: number } = { from: 0, to: rows.length },
): string {
  const cells = rows.map((entry) => columns.map((column) => oneLine(column.text(entry))))
  const natural = columns.map((column, index) =>
    Math.max(columnsOf(column.title), ...cells.map((line) => columnsOf(line[index] ?? ''))),
  )
  const widths = shrinkTo(width, natural, columns)
  const line = (texts: readonly string[], paint: (text: string, index: number) => string): string => {
    const fitted = columns.map((column, index) => {
      const room = widths[index] ?? 0
      const text = fit(texts[index] ?? '', room, column.shrink ?? 'end')
      const padding = ' '.repeat(Math.max(0, room - columnsOf(text)))
      return column.align === 'right' ? padding + paint(text, index) : paint(text, index) + padding
    })
    return fitted
      .filter((_, index) => (widths[index] ?? 0) > 0)
      .join(gap)
      .trimEnd()
  }
  return [
    line(
      columns.map((column) => column.title),
      (text) => colors.dim(text),
    ),
    ...rows
      .slice(only.from, only.to)
      .map((entry, at) =>
        line(cells[only.from + at] ?? [], (text, index) => (columns[index]?.paint ?? plain)(text, entry)),
      ),
  ].join('\n')
}

/** Drops optional columns, then narrows those that may shrink, the widest first; if that is not enough, drops columns from the end. */
function shrinkTo<Row>(width: number, natural: readonly number[], columns: readonly Column<Row>[]): number[] {
  const widths = [...natural]
  const total = (): number =>
    widths.reduce((sum, one) => sum + one, 0) +
    gap.length * Math.max(0, widths.filter((one) => one > 0).length - 1)
  const canShrink = (index: number): boolean => {
    const column = columns[index]
    return column?.shrink !== undefined && (widths[index] ?? 0) > (column.least ?? 8)
  }
  const dropFromEnd = (mayDrop: (index: number) => boolean): void => {
    for (let index = widths.length - 1; index > 0 && total() > width; index--)
      if (mayDrop(index)) widths[index] = 0
  }
  dropFromEnd((index) => columns[index]?.optional === true)
  const widest = (): number | undefined =>
    [...widths.keys()].filter(canShrink).sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0]
  for (let over = total() - width; over > 0; over = total() - width) {
    const index = widest()
    if (index === undefined) break
    widths[index] = (widths[index] ?? 0) - 1
  }
  dropFromEnd(() => true)
  if (total() > width) widths[0] = width
  return widths
}
