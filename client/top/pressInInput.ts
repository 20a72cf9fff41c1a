/** What a key does while a text is typed: a filter, or a text for a session. */
import { validateText } from '../orders/sentText.js'
import { choose } from './choose.js'
import type { Press } from './keys.js'
import { edit, emptyInput, insert, type LineInput } from './lineInput.js'
import type { Order } from './orders.js'
import { carryOut, inMode, type Pressed, stay, toList } from './pressed.js'
import { type Mode, type State, withArrangement } from './state.js'

/** A line break that follows several characters so soon is one of theirs. Milliseconds. */
const bulkWithin = 100

export function pressInFilter(
  state: State,
  { input }: Extract<Mode, { kind: 'filter' }>,
  pressed: Press,
): Pressed {
  if ('key' in pressed) {
    if (pressed.key === 'enter') return toList(state)
    if (pressed.key === 'escape') return toList(withArrangement(state, { filter: '' }))
    if (pressed.key === 'up' || pressed.key === 'down') return stay(choose(state, pressed.key) ?? state)
  }
  const edited = typed(input, pressed)
  return inMode(withArrangement(state, { filter: edited.text }), { kind: 'filter', input: edited })
}

export function pressInText(
  state: State,
  mode: Extract<Mode, { kind: 'text' }>,
  pressed: Press,
  now: number,
): Pressed {
  if ('key' in pressed && pressed.key === 'escape')
    return toList(state, { text: 'nothing was sent', kind: 'hint', at: now })
  if ('key' in pressed && pressed.key === 'enter') {
    if (now - mode.bulkAt < bulkWithin)
      return inMode(state, { ...mode, input: insert(mode.input, '\n'), bulkAt: now })
    return submit(state, mode, now)
  }
  const isBulk = 'text' in pressed && Array.from(pressed.text).length > 1
  return inMode(state, { ...mode, input: typed(mode.input, pressed), bulkAt: isBulk ? now : mode.bulkAt })
}

/** Enter is pressed alone and below the session's name, so it is the confirmation. The text stays if it cannot be sent. */
function submit(state: State, mode: Extract<Mode, { kind: 'text' }>, now: number): Pressed {
  const { subject, input } = mode
  try {
    const order: Order = { kind: 'send', subject, text: validateText(input.text) }
    const carried = carryOut(state, order, now)
    return carried.effect === null ? stay({ ...carried.state, mode }) : carried
  } catch (error) {
    return stay({ ...state, note: { text: (error as Error).message, kind: 'failed', at: now } })
  }
}

function typed(input: LineInput, pressed: Press): LineInput {
  if ('paste' in pressed) return insert(input, pressed.paste)
  if ('text' in pressed) return insert(input, pressed.text)
  if ('ctrl' in pressed) return pressed.ctrl === 'u' ? emptyInput : input
  const { key } = pressed
  return key === 'left' || key === 'right' || key === 'home' || key === 'end' || key === 'backspace'
    ? edit(input, key)
    : input
}
