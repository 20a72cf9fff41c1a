/** Prints the findings for a person: one line each, the remedy on the next line, and a summary at the end. */
import { stripVTControlCharacters } from 'node:util'
import type { Colors } from 'picocolors/types.js'
import type { Finding, FindingState } from './finding.js'

export function render(findings: readonly Finding[], colors: Colors): string {
  const width = Math.max(0, ...findings.map(({ name }) => name.length))
  const lines = findings.flatMap(({ name, state, found, remedy }) => {
    const first = `${paint(colors, state)}  ${name.padEnd(width)}  ${oneLine(found)}`
    return remedy === null ? [first] : [first, `${' '.repeat(width + 8)}-> ${oneLine(remedy)}`]
  })
  return [...lines, '', summary(findings)].join('\n')
}

const paint = (colors: Colors, state: FindingState): string =>
  state === 'ok'
    ? colors.green('ok  ')
    : state === 'warn'
      ? colors.yellow('warn')
      : colors.bold(colors.red('FAIL'))

function summary(findings: readonly Finding[]): string {
  const count = (state: FindingState): number => findings.filter((finding) => finding.state === state).length
  const [fine, warnings, failures] = [count('ok'), count('warn'), count('fail')]
  const verdict =
    failures > 0 ? 'Outpool will not work well like this' : warnings > 0 ? 'Outpool can work' : 'All is well'
  const counted = [`${fine} ok`, plural(warnings, 'warning'), plural(failures, 'failure')].join(', ')
  return `${verdict}: ${counted}.`
}

const plural = (count: number, word: string): string =>
  `${count === 0 ? 'no' : count} ${word}${count === 1 ? '' : 's'}`

/** File names and output of other programs must not control the terminal. */
const oneLine = (text: string): string =>
  stripVTControlCharacters(text).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ')
