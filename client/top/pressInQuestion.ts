/** What a key does while an account is chosen for a move, or an order waits for a yes. */
import { keyOfLetter } from './choose.js'
import type { Press } from './keys.js'
import { ask, carryOut, inMode, type Pressed, stay, toList } from './pressed.js'
import type { Mode, State } from './state.js'

/** A yes that comes sooner was meant for something else. Milliseconds. */
const readWithin = 400

/** Only a `y` on its own, after the question could be read, says yes. Pasted and merged keys say nothing; all others say no. */
export function pressInQuestion(
  state: State,
  { order, askedAt }: Extract<Mode, { kind: 'confirm' }>,
  pressed: Press,
  now: number,
): Pressed {
  if ('paste' in pressed || ('text' in pressed && pressed.text.length > 1)) return stay(state)
  const isYes = 'text' in pressed && /^y$/i.test(pressed.text)
  if (!isYes) return toList(state, { text: 'nothing was done', kind: 'hint', at: now })
  if (now - askedAt < readWithin) return stay(state)
  return carryOut(state, order, now)
}

export function pressInTargets(
  state: State,
  mode: Extract<Mode, { kind: 'target' }>,
  pressed: Press,
  now: number,
): Pressed {
  const { subject, targets, at } = mode
  const key = 'key' in pressed ? pressed.key : 'text' in pressed ? keyOfLetter[pressed.text] : undefined
  const to = (index: number): Pressed =>
    inMode(state, { ...mode, at: Math.max(0, Math.min(targets.length - 1, index)) })
  if (key === 'up') return to(at - 1)
  if (key === 'down') return to(at + 1)
  if (key === 'home') return to(0)
  if (key === 'end') return to(targets.length - 1)
  if (key === 'enter') {
    const target = targets[at] ?? null
    return ask(
      state,
      target === null ? { kind: 'rescue', subject } : { kind: 'move', subject, to: target },
      now,
    )
  }
  return key === 'escape' || ('text' in pressed && pressed.text === 'q') ? toList(state) : stay(state)
}
