/** The state of the screen, and how what is read changes it. Pure: time comes as a parameter. */
import { arrange, type Arrangement } from './arrange.js'
import type { SessionDetail } from './detail.js'
import type { Fleet, FleetSession } from './fleet.js'
import type { LineInput } from './lineInput.js'
import { currentSubject, type Order, type Subject } from './orders.js'

export type Mode =
  | { kind: 'list' }
  | { kind: 'help' }
  | { kind: 'filter'; input: LineInput }
  /** `bulkAt`: when several characters came at once, in ms since the epoch. */
  | { kind: 'text'; subject: Subject; input: LineInput; bulkAt: number }
  /** `targets`: accounts, and null for the best one. As they were when the choice began, so that none changes its place. */
  | { kind: 'target'; subject: Subject; targets: (string | null)[]; at: number }
  /** `askedAt`: in ms since the epoch. */
  | { kind: 'confirm'; order: Order; question: string; askedAt: number }

export interface Note {
  text: string
  kind: 'done' | 'failed' | 'hint'
  /** Milliseconds since the epoch. */
  at: number
}

export interface Size {
  columns: number
  rows: number
}

export interface State extends Arrangement {
  size: Size
  /** Null until it was read for the first time. */
  fleet: Fleet | null
  /** Name of the chosen session, which is always one of those that the list shows. */
  chosen: string | null
  /** The row of the list on which the chosen session is or was last. */
  row: number
  isDetailed: boolean
  detail: SessionDetail | null
  mode: Mode
  note: Note | null
}

export const initialState = (size: Size): State => ({
  ...{ size, fleet: null, chosen: null, row: 0, sort: 'attention', reversed: false, filter: '' },
  ...{ isDetailed: false, detail: null, mode: { kind: 'list' }, note: null },
})

/** The sessions that the list shows, in its order. */
export const listed = (state: State): FleetSession[] => arrange(state.fleet?.sessions ?? [], state)

export const chosenSession = ({ fleet, chosen }: State): FleetSession | null =>
  fleet?.sessions.find(({ name }) => name === chosen) ?? null

/** Long enough to be read. Milliseconds. */
const noteFor = 60_000

/** The chosen session stays chosen wherever it is now; one that is not shown any more is not replaced by another. */
export function withFleet(state: State, fleet: Fleet): State {
  const isFirst = (state.fleet?.sessions ?? []).length === 0
  const isOld = state.note !== null && fleet.at.getTime() - state.note.at > noteFor
  const next: State = { ...state, fleet, note: isOld ? null : state.note }
  const chosen = isFirst && state.chosen === null ? chooseFirst(next) : keepChoice(next)
  return closeIfGone(chosen)
}

/** For a list that a person has just arranged: the first one is chosen if the chosen one is not in it. */
export function withArrangement(state: State, arrangement: Partial<Arrangement>): State {
  const kept = keepChoice({ ...state, ...arrangement })
  return kept.chosen === null ? chooseFirst(kept) : kept
}

export function chooseRow(state: State, row: number): State {
  const rows = listed(state)
  const index = Math.max(0, Math.min(rows.length - 1, row))
  return { ...state, row: index, chosen: rows[index]?.name ?? null }
}

const chooseFirst = (state: State): State => chooseRow(state, 0)

function keepChoice(state: State): State {
  const row = listed(state).findIndex(({ name }) => name === state.chosen)
  return row < 0 ? { ...state, chosen: null } : { ...state, row }
}

/** Closes the question about an order that can no longer be carried out. A text that was typed stays. */
function closeIfGone(state: State): State {
  const { mode, fleet } = state
  if (mode.kind !== 'confirm' && mode.kind !== 'target') return state
  const order: Order = mode.kind === 'confirm' ? mode.order : { kind: 'rescue', subject: mode.subject }
  if (currentSubject(fleet?.sessions ?? [], order) !== null) return state
  return { ...state, mode: { kind: 'list' }, note: goneNote(order, fleet?.at.getTime() ?? 0) }
}

export const goneNote = ({ subject: { name } }: Order, at: number): Note => ({
  ...{ text: `${name} has ended or is another session now: nothing was done`, kind: 'failed', at },
})
