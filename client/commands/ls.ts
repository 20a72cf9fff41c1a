/** `outpool ls` */
import type { Colors } from 'picocolors/types.js'
import type { ListedSession } from '../../config/fleet/session.js'
import { openHome } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { counted } from '../../policy/formatCount.js'
import { groupWaitlist } from '../../policy/pool/waitlist.js'
import type { Phase, SessionRow } from '../../policy/session/session.js'
import { type CommandContext, printNotice, print, printJson } from '../commandContext.js'
import { toSessionRow, toSessionView, mergeLiveState } from '../sessions/sessionRows.js'
import { type Column, renderTable } from '../output/table.js'
import { fit, oneLine } from '../output/terminal.js'
import { formatLocalClock, span } from '../output/times.js'
import { unwatchedReason } from '../sessions/unwatched.js'
import { heardHosts, markSilent } from '../sessions/silentSessions.js'

/** Stopped sessions are listed for this long without --all. */
const stoppedForMs = 24 * 60 * 60_000

export async function ls(context: CommandContext): Promise<void> {
  const home = openHome()
  const now = new Date()
  const since = context.flag('all') ? 'ever' : new Date(now.getTime() - stoppedForMs)
  const live = readLive(home)
  const { listed, heard: others } = await context.fleet.sessions(home, since)
  const heard = heardHosts(home, live, others)
  const cards = listed.map(({ card }) => markSilent(mergeLiveState(card, live, home, now), heard, home, now))
  const rows = cards.map(toSessionRow)
  if (rows.some((row) => row.phase !== 'stopped' && row.host === home.hostId)) {
    const reason = await unwatchedReason(home, live, now)
    if (reason !== null) printNotice(reason)
  }
  if (context.json) printJson(cards.map(toSessionView))
  else if (rows.length === 0) print('No sessions. Start one with: outpool start NAME --cwd DIR -- PROMPT')
  else print(screen(rows, parkedLines(listed, now), context.width, context.colors, now))
}

/** What parked sessions wait for, and until when; sessions that wait for the same share a line. */
function parkedLines(listed: readonly ListedSession[], now: Date): string[] {
  const parked = listed.flatMap(({ card: { name, phase, why, parkedUntil } }) =>
    phase === 'parked' ? [{ session: name, why: why ?? 'reason unknown', retryAt: parkedUntil }] : [],
  )
  if (parked.length === 0) return []
  const lines = groupWaitlist(parked).map(({ why, retryAt, sessions }) => {
    const until = retryAt === null ? '' : ` until ${formatLocalClock(retryAt, now)}`
    return `${sessions.length} parked${until}: ${oneLine(why)}`
  })
  return [...lines, '`outpool accounts` says what would help most']
}

function screen(rows: SessionRow[], parked: string[], width: number, colors: Colors, now: Date): string {
  const asking = rows.filter((row) => row.attention !== null && row.phase !== 'stopped')
  return [
    renderTable(rows, columnsFor(rows, colors, now), width, colors),
    ...asking.map((row) => `${colors.yellow('!')} ${colors.bold(row.name)}: ${oneLine(row.attention ?? '')}`),
    ...parked.map((line) => fit(line, width)),
  ].join('\n')
}

export function columnsFor(rows: SessionRow[], colors: Colors, now: Date): Column<SessionRow>[] {
  const several = (value: (row: SessionRow) => string): boolean => new Set(rows.map(value)).size > 1
  const column = (title: string, text: (row: SessionRow) => string): Column<SessionRow> => ({
    ...{ title, text, shrink: 'end', least: 6 },
  })
  return [
    { ...column('NAME', (row) => row.name), least: 12, paint: (text) => colors.bold(text) },
    {
      ...column('STATE', (row) => stateOf(row, now)),
      least: 12,
      paint: (text, row) =>
        row.silentSince === undefined ? paintPhase(text, row.phase, colors) : colors.yellow(text),
    },
    column('ON', (row) => row.account ?? row.substrate ?? '-'),
    { title: 'RESCUES', text: (row) => (row.rescues === 0 ? '-' : String(row.rescues)), align: 'right' },
    ...(several((row) => row.agent) ? [column('AGENT', (row) => row.agent)] : []),
    ...(rows.some((row) => row.model !== null) ? [column('MODEL', (row) => row.model ?? '-')] : []),
    ...(several((row) => row.host) ? [column('HOST', (row) => row.host)] : []),
    { ...column('DIRECTORY', (row) => shortPath(row.cwd)), shrink: 'middle', least: 10 },
  ]
}

/** The phase, and in a word why the session is not working. */
export function stateOf(row: SessionRow, now: Date): string {
  if (row.silentSince !== undefined) return silentState(row.phase, row.silentSince, now)
  const walled = row.walledUntil !== null && Date.parse(row.walledUntil) > now.getTime()
  const until = walled && row.walledUntil !== null ? formatLocalClock(row.walledUntil, now) : null
  switch (row.phase) {
    case 'parked':
      return row.parkedUntil === null ? 'parked' : `parked until ${formatLocalClock(row.parkedUntil, now)}`
    case 'waiting':
      return `waiting: ${attentionText(row.attention)}`
    case 'rescuing':
      return until === null ? 'rescuing' : `rescuing, walled until ${until}`
    case 'idle':
      if (row.parkedUntil !== null) return `idle, goes on at ${formatLocalClock(row.parkedUntil, now)}`
      return [
        row.phase,
        until === null ? null : `walled until ${until}`,
        backgroundTasksText(row.background ?? 0),
        wakeUpText(row, now),
      ]
        .filter((part) => part !== null)
        .join(', ')
    case 'starting':
    case 'paused':
      return until === null ? row.phase : `${row.phase}, walled until ${until}`
    case 'working':
    case 'stopped':
      return row.phase
  }
}

/** What it did when its host was last heard of is not known to be so still. */
function silentState(phase: Phase, since: string | null, now: Date): string {
  const heard = since === null ? 'never heard of' : `unheard for ${span(now.getTime() - Date.parse(since))}`
  return `${heard}, was ${phase}`
}

export function backgroundTasksText(tasks: number): string | null {
  if (tasks === 0) return null
  return `${counted(tasks, 'task')} in the background`
}

function wakeUpText({ nextWakeUp }: SessionRow, now: Date): string | null {
  if (!nextWakeUp) return null
  return Date.parse(nextWakeUp) < now.getTime()
    ? 'a wake-up is due'
    : `wakes up at ${formatLocalClock(nextWakeUp, now)}`
}

/** One word for what the session needs; the whole sentence is printed below the table. */
function attentionText(attention: string | null): string {
  const kinds: [RegExp, string][] = [
    [/permission|approv|allow/i, 'permission'],
    [/log ?in|logged out|credential/i, 'login'],
    [/context/i, 'context'],
    [/billing|credit|payment/i, 'billing'],
    [/trust/i, 'trust'],
    [/question|answer|choose|dialog/i, 'an answer'],
  ]
  return kinds.find(([pattern]) => attention !== null && pattern.test(attention))?.[1] ?? 'you'
}

function paintPhase(text: string, phase: Phase, colors: Colors): string {
  switch (phase) {
    case 'working':
      return colors.green(text)
    case 'waiting':
      return colors.yellow(text)
    case 'rescuing':
      return colors.magenta(text)
    case 'parked':
    case 'starting':
      return colors.cyan(text)
    case 'idle':
      return text
    case 'paused':
    case 'stopped':
      return colors.dim(text)
  }
}

function shortPath(path: string): string {
  const home = process.env['HOME'] ?? ''
  if (home === '' || (path !== home && !path.startsWith(`${home}/`))) return path
  return `~${path.slice(home.length)}`
}
