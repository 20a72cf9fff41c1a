/** What a key does while the list is shown and nothing is open. */
import { sortKeys } from './arrange.js'
import { choose, keyOfLetter } from './choose.js'
import type { FleetSession } from './fleet.js'
import type { NamedKey, Press } from './keys.js'
import { emptyInput, insert } from './lineInput.js'
import { subjectOf } from './orders.js'
import { ask, hint, inMode, type Pressed, stay } from './pressed.js'
import { pressInFilter } from './pressInInput.js'
import { chosenSession, type Mode, type State, withArrangement } from './state.js'

export function pressInList(state: State, pressed: Press, now: number): Pressed {
  if ('key' in pressed) return pressKeyInList(state, pressed.key, now)
  if ('paste' in pressed) return hint(state, 'a pasted text does nothing here', now)
  if ('ctrl' in pressed) return stay(state)
  const { text } = pressed
  const steps = Array.from(text, (letter) => keyOfLetter[letter])
  if (steps.every((step) => step !== undefined))
    return stay(steps.reduce((moved, step) => choose(moved, step) ?? moved, state))
  if (text.startsWith('/')) {
    const opened: Mode = { kind: 'filter', input: insert(emptyInput, state.filter) }
    return text === '/' ? inMode(state, opened) : pressInFilter(state, opened, { text: text.slice(1) })
  }
  if (text.length > 1) return hint(state, 'several keys at once do nothing here: press one', now)
  switch (text) {
    case 'q':
      return { state, effect: { do: 'quit' } }
    case '?':
      return inMode(state, { kind: 'help' })
    case 's': {
      const next = sortKeys[(sortKeys.indexOf(state.sort) + 1) % sortKeys.length] ?? 'attention'
      return stay(withArrangement(state, { sort: next, reversed: false }))
    }
    case 'S':
      return stay(withArrangement(state, { reversed: !state.reversed }))
    case 'd':
      return stay({ ...state, isDetailed: !state.isDetailed })
    case 't':
    case 'm':
    case 'p':
    case 'r':
      return begin(state, text, now)
    default:
      return stay(state)
  }
}

function pressKeyInList(state: State, key: NamedKey, now: number): Pressed {
  const moved = choose(state, key)
  if (moved !== null) return stay(moved)
  if (key === 'tab') return stay({ ...state, isDetailed: !state.isDetailed })
  if (key === 'escape') return stay(withArrangement({ ...state, note: null }, { filter: '' }))
  if (key !== 'enter') return stay(state)
  const session = chosenSession(state)
  if (session === null) return hint(state, chooseFirst, now)
  return { state: { ...state, note: null }, effect: { do: 'attach', name: session.name } }
}

const chooseFirst = 'choose a session first'

/** Opens the question, the input or the list of targets for an order to the chosen session. */
function begin(state: State, letter: 't' | 'm' | 'p' | 'r', now: number): Pressed {
  const session = chosenSession(state)
  if (session === null) return hint(state, chooseFirst, now)
  const { name, phase } = session
  if (phase === 'stopped' && letter !== 'p')
    return hint(state, `session ${name} is stopped: p starts it again`, now)
  const subject = subjectOf(session)
  const quiet = { ...state, note: null }
  switch (letter) {
    case 't':
      return inMode(quiet, { kind: 'text', subject, input: emptyInput, bulkAt: 0 })
    case 'm':
      return inMode(quiet, { kind: 'target', subject, targets: targetsFor(state, session), at: 0 })
    case 'p':
      return ask(quiet, { kind: ['paused', 'stopped'].includes(phase) ? 'resume' : 'pause', subject }, now)
    case 'r':
      return ask(quiet, { kind: 'rescue', subject }, now)
  }
}

function targetsFor({ fleet }: State, session: FleetSession): (string | null)[] {
  const others = (fleet?.accounts ?? []).filter(
    ({ name, role }) => role === 'pool' && name !== session.account,
  )
  return [null, ...others.map(({ name }) => name)]
}
