/** The lines above the list: how many sessions do what, and what is wrong. */
import { fit, oneLine } from '../output/terminal.js'
import { formatLocalClock } from '../output/times.js'
import { needsPerson, shownPhase, shownPhases } from './arrange.js'
import type { Fleet, FleetSession } from './fleet.js'
import { type TerminalStyle, wrapped } from './terminalStyle.js'

/** `outpool 14:03   1 waiting · 1 working` */
export function headline({ sessions, at }: Fleet, columns: number, { colors }: TerminalStyle): string {
  const counts = new Map<string, number>()
  for (const session of sessions) {
    const state = shownPhase(session)
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  const parts = shownPhases.flatMap((state) => {
    const count = counts.get(state)
    return count === undefined ? [] : [`${count} ${state}`]
  })
  const text = parts.length === 0 ? 'no sessions' : parts.join(' · ')
  return colors.bold(fit(`outpool ${formatLocalClock(at.toISOString(), at)}   ${text}`, columns))
}

/** Whole, as long as that takes no more than three lines: they say what to do. */
export const problemLines = ({ problems }: Fleet, columns: number, { colors }: TerminalStyle): string[] =>
  problems.flatMap((problem) => wrapped(`! ${problem}`, columns, 3).map((line) => colors.yellow(line)))

/** One line for each session that needs a person, `most` of them. */
export const attentionLines = (
  sessions: readonly FleetSession[],
  columns: number,
  most: number,
  { colors }: TerminalStyle,
): string[] =>
  sessions
    .filter(needsPerson)
    .slice(0, most)
    .map(({ name, attention }) => colors.yellow(fit(`! ${name}: ${oneLine(attention ?? '')}`, columns)))
