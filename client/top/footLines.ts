/** The last lines of the screen: what became of an order, and the question, the input or the keys. */
import { fit } from '../output/terminal.js'
import { shownInput } from './lineInput.js'
import { type TerminalStyle, wrapped } from './terminalStyle.js'
import type { Mode, Note, State } from './state.js'

const mostLines = 3
/** Enough for every question on a terminal of 20 columns. */
const mostOfQuestion = 8

export function footLines({ mode, note, size: { columns } }: State, style: TerminalStyle): string[] {
  return [...(note === null ? [] : noteLines(note, columns, style)), ...promptLines(mode, columns, style)]
}

function noteLines({ text, kind }: Note, columns: number, { colors }: TerminalStyle): string[] {
  const paint = { done: colors.green, failed: colors.red, hint: colors.dim }[kind]
  return wrapped(text, columns, mostLines).map((line) => paint(line))
}

function promptLines(mode: Mode, columns: number, { colors }: TerminalStyle): string[] {
  const line = (text: string): string => fit(text, columns)
  switch (mode.kind) {
    case 'list':
      return [colors.dim(keysThatFit(columns))]
    case 'help':
      return [colors.dim(line('any key goes back'))]
    case 'filter':
      return [
        `/${shownInput(mode.input, columns - 1)}`,
        colors.dim(line('Enter keeps the filter · Esc shows all sessions')),
      ]
    case 'text': {
      const label = fit(`to ${mode.subject.name}: `, Math.floor(columns / 2))
      return [
        `${colors.bold(label)}${shownInput(mode.input, columns - label.length)}`,
        colors.dim(line(`Enter sends it to ${mode.subject.name} · Esc cancels`)),
      ]
    }
    case 'target':
      return [
        colors.bold(line(`Move ${mode.subject.name} to which account?`)),
        colors.dim(line('arrows choose · Enter takes it and asks once more · Esc cancels')),
      ]
    case 'confirm':
      return wrapped(`${mode.question} y/N`, columns, mostOfQuestion).map((one) => colors.bold(one))
  }
}

/** The most important first; the last one is always shown. */
const keys = [
  'Enter attach',
  't send',
  'm move',
  'p pause',
  'r rescue',
  '/ filter',
  's sort',
  'd details',
  'q quit',
]
const lastKey = '? help'

function keysThatFit(columns: number): string {
  const shown: string[] = []
  for (const key of keys) {
    if ([...shown, key, lastKey].join(' · ').length > columns) break
    shown.push(key)
  }
  return fit([...shown, lastKey].join(' · '), columns)
}
