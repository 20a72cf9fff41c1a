/** The accounts to which a session can be moved, to choose from. */
import { accountStateText } from '../output/accountCells.js'
import { fit } from '../output/terminal.js'
import type { Fleet } from './fleet.js'
import type { TerminalStyle } from './terminalStyle.js'
import type { Mode } from './state.js'

/** As many lines as there is room for, the marked one among them. */
export function targetLines(
  { targets, at }: Extract<Mode, { kind: 'target' }>,
  fleet: Fleet,
  columns: number,
  room: number,
  { colors }: TerminalStyle,
): string[] {
  const fitting = Math.max(1, Math.min(targets.length, room - 1))
  const from = Math.max(0, Math.min(at - Math.floor(fitting / 2), targets.length - fitting))
  const lines = targets.slice(from, from + fitting).map((target, index) => {
    const isMarked = from + index === at
    const line = fit(`${isMarked ? '> ' : '  '}${nameOf(target, fleet)}`, columns)
    return isMarked ? colors.bold(line) : line
  })
  return ['', ...lines]
}

function nameOf(target: string | null, { accounts, at }: Fleet): string {
  if (target === null) return 'the best account, as the pool chooses'
  const account = accounts.find(({ name }) => name === target)
  if (account === undefined) return target
  const { leases } = account
  const count = leases.length === 1 ? 'one session' : `${leases.length} sessions`
  return `${target}   ${accountStateText(account, at)} · ${count}`
}
