/** What a key does, in each mode of the screen. Pure: returns the next state, and what has to be done outside it. */
import type { Press } from './keys.js'
import { type Effect, type Pressed, toList } from './pressed.js'
import { pressInFilter, pressInText } from './pressInInput.js'
import { pressInList } from './pressInList.js'
import { pressInQuestion, pressInTargets } from './pressInQuestion.js'
import type { State } from './state.js'

export function press(state: State, pressed: Press, now: number): Pressed {
  const effect = 'ctrl' in pressed ? controls[pressed.ctrl] : undefined
  if (effect !== undefined) return { state, effect }
  const { mode } = state
  switch (mode.kind) {
    case 'list':
      return pressInList(state, pressed, now)
    case 'help':
      return toList(state)
    case 'filter':
      return pressInFilter(state, mode, pressed)
    case 'text':
      return pressInText(state, mode, pressed, now)
    case 'target':
      return pressInTargets(state, mode, pressed, now)
    case 'confirm':
      return pressInQuestion(state, mode, pressed, now)
  }
}

const controls: Readonly<Record<string, Effect>> = {
  ...{ c: { do: 'quit' }, z: { do: 'suspend' }, l: { do: 'redraw' } },
}
