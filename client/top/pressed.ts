/** What follows from a key: the next state, and what has to be done outside it. */
import type { Order } from './orders.js'
import { currentSubject, questionOf } from './orders.js'
import { goneNote, type Mode, type Note, type State } from './state.js'

export type Effect =
  | { do: 'quit' }
  | { do: 'suspend' }
  | { do: 'redraw' }
  | { do: 'attach'; name: string }
  | { do: 'order'; order: Order }

export interface Pressed {
  state: State
  effect: Effect | null
}

export const stay = (state: State): Pressed => ({ state, effect: null })

export const inMode = (state: State, mode: Mode): Pressed => stay({ ...state, mode })

export const toList = (state: State, note: Note | null = state.note): Pressed =>
  stay({ ...state, note, mode: { kind: 'list' } })

export const hint = (state: State, text: string, now: number): Pressed =>
  stay({ ...state, note: { text, kind: 'hint', at: now } })

/** Opens the question before an order. */
export function ask(state: State, order: Order, now: number): Pressed {
  const session = currentSubject(state.fleet?.sessions ?? [], order)
  if (session === null) return toList(state, goneNote(order, now))
  return inMode(state, { kind: 'confirm', order, question: questionOf(session, order), askedAt: now })
}

/** Orders it, if the session is still the one that was asked about. */
export function carryOut(state: State, order: Order, now: number): Pressed {
  if (currentSubject(state.fleet?.sessions ?? [], order) === null) return toList(state, goneNote(order, now))
  return { state: { ...state, mode: { kind: 'list' } }, effect: { do: 'order', order } }
}
