/** What stands where on the screen, for a state and a size. Pure: the same state gives the same frame. */
import { fit } from '../output/terminal.js'
import { accountLines } from './accountLines.js'
import { needsPerson } from './arrange.js'
import { detailLines } from './detailLines.js'
import type { Fleet, FleetSession } from './fleet.js'
import { footLines } from './footLines.js'
import { helpLines } from './helpLines.js'
import { drawn, type TerminalStyle } from './terminalStyle.js'
import { sessionLines } from './sessionLines.js'
import { chosenSession, listed, type Size, type State } from './state.js'
import { attentionLines, headline, problemLines } from './summary.js'
import { targetLines } from './targetLines.js'

/** Every line fits, and all of them together are at most as many as the screen has. */
export interface Frame extends Size {
  head: string[]
  list: string[]
  /** Which line of the list is the chosen session's; null if none is. */
  chosen: number | null
  /** To the right of the list; it is `sideColumns` wide. */
  side: string[]
  sideColumns: number
  /** Below the list. */
  below: string[]
  foot: string[]
}

/** From here on, the details stand beside the list. */
const besideFrom = 160
const gap = 2

export function frameOf(state: State, style: TerminalStyle): Frame {
  const { size, fleet, mode } = state
  const { columns, rows } = size
  const foot = footLines(state, style).slice(-rows)
  const body = rows - foot.length
  const empty: Frame = {
    ...{ ...size, head: [], list: [], chosen: null, side: [], sideColumns: 0, below: [], foot },
  }
  const frame =
    mode.kind === 'help'
      ? { ...empty, head: helpLines(columns, body, style) }
      : fleet === null
        ? { ...empty, head: [fit('reading the fleet…', columns)].slice(0, body) }
        : { ...empty, ...bodyOf(state, fleet, body, style) }
  const lines = (texts: readonly string[]): string[] => texts.map((text) => drawn(text, style))
  return {
    ...frame,
    ...{ head: lines(frame.head), list: lines(frame.list), side: lines(frame.side) },
    ...{ below: lines(frame.below), foot: lines(frame.foot) },
  }
}

type Body = Pick<Frame, 'head' | 'list' | 'chosen' | 'side' | 'sideColumns' | 'below'>

/** The list keeps at least half of the room; accounts and what stands below give way. */
function bodyOf(state: State, fleet: Fleet, room: number, style: TerminalStyle): Body {
  const { columns } = state.size
  const sessions = listed(state)
  const session = state.isDetailed ? chosenSession(state) : null
  const head = headLines(fleet, columns, { room, isWhole: session === null || room >= tallScreen }, style)
  const title = titleLine(state, sessions.length, style)
  const left = room - head.length - 1
  const isBeside = session !== null && columns >= besideFrom
  const sideColumns = isBeside ? Math.floor(columns / 2) - gap : 0
  const listColumns = isBeside ? columns - sideColumns - gap : columns
  const about = { at: fleet.at, columns: sideColumns }
  const below = belowLines(state, fleet, sessions, isBeside ? null : session, left, style)
  const list = sessionLines(
    sessions,
    { chosen: state.chosen, at: fleet.at, columns: listColumns, room: Math.max(0, left - below.length) },
    style,
  )
  const rows = sessions.length === 0 ? [fit(`  ${emptyText(fleet)}`, listColumns)] : list.lines
  return {
    ...{ head, below, sideColumns },
    list: [title, ...rows].slice(0, Math.max(0, room - head.length)),
    chosen: list.chosen === null ? null : list.chosen + 1,
    side: isBeside
      ? detailLines(session, detailOf(state, session), { ...about, room: left - below.length + 1 }, style)
      : [],
  }
}

const emptyText = ({ sessions }: Fleet): string =>
  sessions.length === 0
    ? 'No sessions. Start one with: outpool start NAME --cwd DIR -- PROMPT'
    : 'No session matches. Esc shows all.'

/** Null until those of this session were read. */
const detailOf = ({ detail }: State, { name }: FleetSession): State['detail'] =>
  detail?.name === name ? detail : null

const smallScreen = 12
/** From here on, there is room for accounts and details. */
const tallScreen = 30

function headLines(
  fleet: Fleet,
  columns: number,
  { room, isWhole }: { room: number; isWhole: boolean },
  style: TerminalStyle,
): string[] {
  const first = [headline(fleet, columns, style), ...problemLines(fleet, columns, style)]
  if (room < smallScreen) return first.slice(0, Math.min(room, Math.max(1, room - 3)))
  if (!isWhole) return [...first, '']
  const accounts = accountLines(fleet, columns, Math.floor(room / 3), style)
  return accounts.length === 0 ? first : [...first, '', ...accounts, '']
}

/** `sessions 12 of 500 · by name · matching docs` */
function titleLine(state: State, shown: number, { colors }: TerminalStyle): string {
  const { size, sort, reversed, filter, fleet } = state
  const all = fleet?.sessions.length ?? 0
  const parts = [
    shown === all ? `sessions ${all}` : `sessions ${shown} of ${all}`,
    `by ${sort}${reversed ? ', reversed' : ''}`,
    ...(filter === '' ? [] : [`matching ${filter.replaceAll('\n', ' ')}`]),
  ]
  return colors.dim(fit(parts.join(' · '), size.columns))
}

function belowLines(
  state: State,
  fleet: Fleet,
  sessions: readonly FleetSession[],
  session: FleetSession | null,
  room: number,
  style: TerminalStyle,
): string[] {
  const { mode, size } = state
  const { columns } = size
  if (mode.kind === 'target') return targetLines(mode, fleet, columns, Math.floor(room / 2), style)
  if (session !== null && room >= smallScreen / 2) {
    // The list gets what it needs, up to a half, and the title.
    const ofList = Math.min(sessions.length + 1, Math.ceil(room / 2))
    const about = { at: fleet.at, columns, room: room - ofList - 1 }
    return ['', ...detailLines(session, detailOf(state, session), about, style)]
  }
  const asking = sessions.filter(needsPerson)
  return attentionLines(asking, columns, Math.min(5, Math.floor(room / 6)), style)
}
