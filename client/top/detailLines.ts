/** What is shown of one session: how it stands, its newest events, and the last lines of its pane. */
import { stateOf } from '../commands/ls.js'
import { eventLine } from '../output/events.js'
import { columnsOf, fit, oneLine } from '../output/terminal.js'
import { formatLocalClock, coarseSpan } from '../output/times.js'
import { placeOf } from './arrange.js'
import type { SessionDetail } from './detail.js'
import type { FleetSession } from './fleet.js'
import { type TerminalStyle, wrapped } from './terminalStyle.js'

/** So many lines at most, of so many columns. `detail` is null until it was read. */
export function detailLines(
  session: FleetSession,
  detail: SessionDetail | null,
  { at, columns, room }: { at: Date; columns: number; room: number },
  style: TerminalStyle,
): string[] {
  const { colors } = style
  const facts = factLines(session, at, columns, style).slice(0, Math.max(1, Math.floor(room / 2)))
  const left = Math.max(0, room - facts.length)
  const events = detail?.events ?? []
  const forEvents = Math.min(events.length, Math.max(1, Math.floor((left - 2) / 3)))
  const newest = forEvents === 0 ? [] : events.slice(-forEvents)
  const eventPart = [
    colors.dim(fit(events.length === 0 ? 'no events on this host' : 'newest events', columns)),
    ...newest.map((event) => eventLine(event, colors, at, columns)),
  ]
  const forPane = left - eventPart.length - 1
  return [...facts, ...eventPart, ...paneLines(detail, columns, forPane, style)].slice(0, room)
}

function factLines(session: FleetSession, at: Date, columns: number, { colors }: TerminalStyle): string[] {
  const { name, since, startedAt, rescues, attention, why, cwd, agent, model, host } = session
  const place = placeOf(session) === '-' ? null : `on ${placeOf(session)}`
  const facts = [
    stateOf(session, at),
    since === null || place === null ? place : `${place} since ${formatLocalClock(since, at)}`,
    `started ${coarseSpan(at.getTime() - Date.parse(startedAt))} ago`,
    rescues === 0 ? null : `${rescues} ${rescues === 1 ? 'rescue' : 'rescues'}`,
  ].filter((fact) => fact !== null)
  const program = [agent, model].filter((part) => part !== null).join(', ')
  return [
    `${colors.bold(fit(name, columns))}${rest(`: ${facts.join(' · ')}`, name, columns)}`,
    ...(attention === null ? [] : wrapped(`! ${attention}`, columns, 2).map((line) => colors.yellow(line))),
    ...(why === null ? [] : [fit(oneLine(`because: ${why}`), columns)]),
    fit(oneLine(`${cwd} · ${program} · host ${host}`), columns),
  ]
}

const rest = (text: string, before: string, columns: number): string =>
  fit(oneLine(text), Math.max(0, columns - columnsOf(before)))

function paneLines(
  detail: SessionDetail | null,
  columns: number,
  room: number,
  { colors }: TerminalStyle,
): string[] {
  const title = (text: string): string => colors.dim(fit(text, columns))
  if (detail === null) return [title('reading its pane…')]
  const { pane, problem } = detail
  if (pane === null) return [title(problem ?? 'no pane on this host')]
  if (room <= 0) return []
  return [title('last lines of its pane'), ...pane.slice(-room).map((line) => fit(oneLine(line), columns))]
}
