/** The table for a person: a row for each need, a column for each failure, and below it the reasons. */
import type { Colors } from 'picocolors/types.js'
import type { Cell, HealerMap } from '../../policy/independence/healerMap.js'

const gap = '  '

export function tableOf({ needs, failures, cells }: HealerMap, colors: Colors): string {
  const titles = needs.map(({ name, what }) => `${name} (${what})`)
  const first = Math.max(...titles.map((title) => title.length), 'the healer needs'.length)
  const widths = failures.map(({ name }) => Math.max(name.length, 'accepted'.length))
  const heading = [
    'the healer needs'.padEnd(first),
    ...failures.map(({ name }, at) => name.padEnd(widths[at] ?? 0)),
  ]
  const rows = needs.map((_need, row) => {
    const own = cells.slice(row * failures.length, (row + 1) * failures.length)
    return [(titles[row] ?? '').padEnd(first), ...own.map((cell, at) => mark(cell, widths[at] ?? 0, colors))]
  })
  return [
    colors.dim(heading.join(gap).trimEnd()),
    ...rows.map((row) => row.join(gap).trimEnd()),
    '',
    ...failures.map(({ name, what }) => colors.dim(`${name.padEnd(longest(failures))}  ${what}`)),
    '',
    ...reasonsOf(cells, colors),
    verdict(cells),
  ].join('\n')
}

const longest = (named: readonly { name: string }[]): number =>
  Math.max(...named.map(({ name }) => name.length))

function mark({ verdict }: Cell, width: number, colors: Colors): string {
  if (verdict === 'apart') return colors.green('-'.padEnd(width))
  const text = verdict.padEnd(width)
  return verdict === 'refused' ? colors.bold(colors.red(text)) : colors.yellow(text)
}

/** Each reason once, with the needs to which it applies, grouped by failure. */
function reasonsOf(cells: readonly Cell[], colors: Colors): string[] {
  const groups = new Map<string, Map<string, string[]>>()
  for (const { need, failure, verdict, why } of cells) {
    if (why === null) continue
    const reason = `${verdict}: ${why}`
    const failures = groups.get(reason) ?? new Map<string, string[]>()
    groups.set(reason, failures.set(failure, [...(failures.get(failure) ?? []), need]))
  }
  return [...groups].flatMap(([reason, failures]) => [
    reason.startsWith('refused') ? colors.bold(colors.red(reason)) : reason,
    ...[...failures].map(([failure, needs]) => `  ${failure}: ${needs.join(', ')}`),
  ])
}

function verdict(cells: readonly Cell[]): string {
  const refused = cells.filter((cell) => cell.verdict === 'refused').length
  return refused === 0
    ? '\nThe healer uses no account that it heals.'
    : `\nRefused in ${refused} ${refused === 1 ? 'place' : 'places'}: the healer would fail together with what it heals.`
}
