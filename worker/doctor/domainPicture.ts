/** The same as a Mermaid diagram: what the healer needs on the left, what it heals on the right, a line if they share something. */
import type { Cell, HealerMap } from '../../policy/independence/healerMap.js'

export function pictureOf({ needs, failures, cells }: HealerMap): string {
  const nodes = needs.map(({ name, what }, at) => `    n${at}["${safe(name)}<br/>${safe(what)}"]`)
  const heals = failures.map(({ what }, at) => `    f${at}(["${safe(what)}"])`)
  const lines = cells.flatMap((cell, at) => {
    const [need, failure] = [Math.floor(at / failures.length), at % failures.length]
    return cell.verdict === 'apart' ? [] : [`  n${need} ${line(cell)} f${failure}`]
  })
  return [
    'flowchart LR',
    '  subgraph needs["the healer needs"]',
    ...nodes,
    '  end',
    '  subgraph heals["and heals"]',
    ...heals,
    '  end',
    ...lines,
  ].join('\n')
}

/** A thin line for what is accepted, a thick one for what is refused; both say what is shared. */
const line = ({ verdict, shares }: Cell): string => {
  const label = safe([...new Set(shares.map((shared) => shared.split(' ')[0] ?? ''))].join(', '))
  return verdict === 'refused' ? `== "refused: ${label}" ==>` : `-. "${label}" .-`
}

/** Quotes and angle brackets end a label. */
const safe = (text: string): string => text.replace(/["<>]/g, "'")
