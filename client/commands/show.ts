/** `outpool show NAME` */
import type { Colors } from 'picocolors/types.js'
import { EventReader } from '../../config/events/files.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import type { RescueRow } from '../../config/fleet/session.js'
import { type Home, openHome } from '../../config/state/home.js'
import type { LiveQuestion } from '../../config/state/liveFile.js'
import { type CommandContext, printNotice, print, printJson } from '../commandContext.js'
import { toSessionRow, type SessionCard } from '../sessions/sessionRows.js'
import { toSessionReport, toSessionReportView } from '../sessions/sessionReport.js'
import { fit, oneLine } from '../output/terminal.js'
import { eventLine, isAboutSession } from '../output/events.js'
import { ago, formatLocalClock } from '../output/times.js'
import { stateOf } from './ls.js'

export async function show(context: CommandContext): Promise<void> {
  const home = openHome()
  const name = context.argument(0, 'NAME')
  const report = toSessionReport(home, await context.fleet.session(home, name))
  const { card, running, rescueLog } = report
  if (rescueLog === null && running)
    printNotice(
      'no worker answers, so this is the last stored state, without the rescue log; start one with `outpool up`',
    )
  if (context.json) printJson(toSessionReportView(report))
  else {
    const now = new Date()
    const { colors, width } = context
    const lines = newestEvents(home, name).map(
      (event) => `     ${eventLine(event, colors, now, Math.max(width, 20) - 5)}`,
    )
    const heading = lines.length === 0 ? [] : ['', colors.dim('events')]
    print([renderDetails(card, rescueLog, colors, width, now), ...heading, ...lines].join('\n'))
  }
}

const eventsShown = 8

/** On this host: those of another are shown there. */
const newestEvents = (home: Home, session: string): OutpoolEvent[] =>
  new EventReader(home, { words: [`"${session}"`] })
    .next()
    .filter((event) => isAboutSession(event, session))
    .slice(-eventsShown)

function renderDetails(
  card: SessionCard,
  rescueLog: RescueRow[] | null,
  colors: Colors,
  width: number,
  now: Date,
): string {
  const facts: [string, string | null][] = [
    ['state', stateOf(toSessionRow(card), now)],
    ['needs you', card.attention],
    ['asks', card.question ? choicesOf(card.question) : null],
    ['background', (card.background ?? []).map(({ kind, what }) => `${kind}: ${what}`).join('; ') || null],
    ['on', placeOf(card, now)],
    ['because', card.why],
    ['waits for', card.pinnedTo === null ? null : `${card.pinnedTo}, and no other account`],
    [
      'falls back',
      card.fallback === null ? null : card.fallback.join(', ') || 'to nothing: it parks instead',
    ],
    ['agent', [card.agent, card.model].filter(Boolean).join(', ')],
    ['directory', card.cwd],
    ['conversation', card.sessionId],
    ['fork', card.fork],
    ['transcript', card.transcript],
    ['host', card.host],
    [
      'pane',
      card.pane === null ? null : [card.pane, card.pid === null ? '' : `pid ${card.pid}`].join(' ').trim(),
    ],
    ['started', `${formatLocalClock(card.startedAt, now)} (${ago(card.startedAt, now)})`],
    ['rescues', String(card.rescues)],
  ]
  const lines = facts.flatMap(([label, value]) =>
    value === null || value === '' ? [] : [`${colors.dim(label.padEnd(13))} ${oneLine(value)}`],
  )
  const log = (rescueLog ?? []).flatMap((entry) => rescueLines(entry, colors, now))
  const heading = log.length === 0 ? [] : ['', colors.dim('rescue log')]
  return [
    colors.bold(card.name),
    ...lines,
    ...heading,
    ...log.map((line) => fit(line, Math.max(width, 20))),
  ].join('\n')
}

/** `Which colour? 1 Red (loud), 2 Green` */
const choicesOf = ({ asks, choices }: LiveQuestion): string =>
  `${asks} ${choices.map(({ n, label, says }) => `${n} ${label}${says === null ? '' : ` (${says})`}`).join(', ')}`

function placeOf({ account, substrate, since, models, model }: SessionCard, now: Date): string | null {
  const name = account ?? (substrate === null ? null : `${substrate} (substrate)`)
  if (name === null) return null
  const [wanted] = models
  const lesser = wanted === undefined || wanted === model ? '' : `, instead of ${wanted}`
  return `${name}${since === null ? '' : ` since ${formatLocalClock(since, now)}`}${lesser}`
}

/** One move: when and why, from where to where, each step with its time, and the result. */
function rescueLines(entry: RescueRow, colors: Colors, now: Date): string[] {
  const took =
    entry.endedAt === null
      ? 'still going on'
      : `${Date.parse(entry.endedAt) - Date.parse(entry.startedAt)} ms`
  const to = entry.to ?? (entry.endedAt === null ? '…' : 'parked')
  const wall = entry.wall
  const steps = entry.steps.map(
    ({ name, ms, fault }) => `${name} ${ms} ms${fault === undefined ? '' : ` (failed: ${fault})`}`,
  )
  const line = (label: string, text: string): string => `     ${colors.dim(label)} ${oneLine(text)}`
  return [
    `${String(entry.n).padStart(3)}  ${formatLocalClock(entry.startedAt, now)}  ${causes[entry.cause]}${isRescueByHand(entry) ? ', rescued by hand' : ''}: ${oneLine(`${entry.from ?? 'nowhere'} -> ${to}`)}, ${took}`,
    ...(wall === null
      ? []
      : [
          line(
            'wall',
            `${wall.kind} (${wall.scope})${wall.resetsAt === null ? '' : `, until ${formatLocalClock(wall.resetsAt, now)}`}; ${wall.evidence}`,
          ),
        ]),
    ...(steps.length === 0 ? [] : [line('steps', steps.join(', '))]),
    ...(entry.result === null ? [] : [line('result', entry.result)]),
  ]
}

/** The words for a move say already that a person ordered it. */
const isRescueByHand = ({ cause, byPerson }: RescueRow): boolean => byPerson === true && cause !== 'move'

const causes: Record<RescueRow['cause'], string> = {
  wall: 'hit the wall',
  'near-limit': 'near its limit',
  login: 'lost its login',
  crash: 'crashed',
  move: 'moved by hand',
  home: 'failed back',
  wake: 'woken up',
}
