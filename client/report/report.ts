/** What the events of a host say of a span of time: the answer to "what happened in the night, and is all well now". */
import { OpenNeeds } from '../../config/events/openNeeds.js'
import type { OutpoolEvent } from '../../config/events/schema.js'
import type { SessionNeed } from '../../policy/notices/hostReport.js'
import { coveredMs, type Span } from './spans.js'

type Kind<K extends OutpoolEvent['kind']> = Extract<OutpoolEvent, { kind: K }>
type Moved = Kind<'session-moved'>
type Parked = Kind<'session-parked'>

export interface Report {
  since: string
  until: string
  /** Moves of sessions, oldest first. */
  moves: Pick<Moved, 'at' | 'session' | 'cause' | 'from' | 'to' | 'wall' | 'ms'>[]
  /** Time that walled sessions worked on elsewhere instead of waiting for the reset of their account, in ms. */
  savedMs: number
  /** Time that sessions were parked, in ms. */
  parkedMs: number
  /** Sessions and accounts that wait for a person now. */
  waiting: { name: string; why: string; since: string }[]
  /** Sessions that were parked, oldest first, and for how long in ms; null for one that still is. */
  parks: (Pick<Parked, 'at' | 'session' | 'from' | 'cause'> & { parkedMs: number | null })[]
  /** Sessions that are parked now. */
  parked: { session: string; since: string; until: string | null; why: string }[]
  walls: { account: string; count: number; walledMs: number }[]
  incidents: {
    n: number
    service: string
    at: string
    sign: string
    /** How often the service was started again. */
    restarts: number
    /** Null while the service is not well again. */
    downMs: number | null
    /** Null if none was needed; `open` while it goes on. */
    escalation: Kind<'escalation-ended'>['result'] | 'open' | null
  }[]
  /** Tasks that failed, agents that crashed or hung, escalations and drills that failed, outages of engine and worker. */
  failures: OutpoolEvent[]
}

/** Whether a wall was the cause, as in the rescue log. */
export const isRescue = ({ cause }: Pick<Moved, 'cause'>): boolean => cause === 'wall'

const failureKinds: readonly OutpoolEvent['kind'][] = [
  'task-failed',
  'session-crashed',
  'session-hung',
  'session-logged-out',
  'engine-down',
]

/** `events`: all that are kept, since what holds now may have begun long ago. */
export function reportOf(events: readonly OutpoolEvent[], since: Date, until: Date): Report {
  const within = events.filter(({ at }) => Date.parse(at) >= since.getTime())
  const of = <K extends OutpoolEvent['kind']>(kind: K, from: readonly OutpoolEvent[] = within): Kind<K>[] =>
    from.filter((event): event is Kind<K> => event.kind === kind)
  const clip = (from: number, to: number): Span => ({
    from: Math.max(from, since.getTime()),
    to: Math.min(to, until.getTime()),
  })
  const states = statesOf(events)
  const parkedSpans = [
    ...of('session-woken', events).map(({ session, at, parkedMs }) => ({
      session,
      span: clip(Date.parse(at) - parkedMs, Date.parse(at)),
    })),
    ...states.parked.map(({ session, at }) => ({ session, span: clip(Date.parse(at), until.getTime()) })),
  ]
  const spansOf = (session: string): Span[] =>
    parkedSpans.flatMap((parked) => (parked.session === session ? [parked.span] : []))
  const moves = of('session-moved')
  const parks = of('session-parked')
  const sessions = [...new Set([...moves, ...parkedSpans].map(({ session }) => session))]
  const sum = (each: (session: string) => number): number =>
    sessions.reduce((total, session) => total + each(session), 0)
  return {
    since: since.toISOString(),
    until: until.toISOString(),
    moves: moves.map(({ at, session, cause, from, to, wall, ms }) => ({
      ...{ at, session, cause, from, to, wall, ms },
    })),
    savedMs: sum((session) =>
      coveredMs(
        [...moves, ...parks].flatMap(({ session: walled, at, wall }) =>
          walled === session && wall !== null && wall.resetsAt !== null
            ? [clip(Date.parse(at), Date.parse(wall.resetsAt))]
            : [],
        ),
        spansOf(session),
      ),
    ),
    parkedMs: sum((session) => coveredMs(spansOf(session))),
    parks: parks.map(({ at, session, from, cause }) => {
      const end = events.find((event) => event.at >= at && isEndOfPark(event, session))
      const parkedMs = end === undefined ? null : Date.parse(end.at) - Date.parse(at)
      return { at, session, from, cause, parkedMs }
    }),
    waiting: states.waiting,
    parked: states.parked.map(({ session, at, until: next, why }) => ({
      ...{ session, since: at, until: next, why },
    })),
    walls: wallsOf(of('account-walled'), of('account-back', events), until),
    incidents: incidentsOf(within, events),
    failures: within.filter(isFailure),
  }
}

function isFailure(event: OutpoolEvent): boolean {
  if (event.kind === 'drill-ended') return !event.ok
  if (event.kind === 'worker-down') return event.how === 'died'
  return failureKinds.includes(event.kind)
}

/** What holds after the last event. */
function statesOf(events: readonly OutpoolEvent[]): Pick<Report, 'waiting'> & { parked: Parked[] } {
  const needs = new OpenNeeds()
  const parked = new Map<string, Parked>()
  for (const event of events) {
    needs.note(event)
    if (event.kind === 'session-parked') parked.set(event.session, event)
    else if ('session' in event && isEndOfPark(event, event.session)) parked.delete(event.session)
  }
  return {
    waiting: [
      ...needs.sessions.map(({ session, need, since }) => ({ name: session, why: needWordsOf[need], since })),
      ...needs.loggedOut.map(({ account, since }) => ({ name: account, why: 'logged out', since })),
    ],
    parked: [...parked.values()],
  }
}

const endsPark: readonly OutpoolEvent['kind'][] = [
  ...(['session-woken', 'session-paused', 'session-stopped', 'session-released', 'session-started'] as const),
]

const isEndOfPark = (event: OutpoolEvent, session: string): boolean =>
  endsPark.includes(event.kind) && 'session' in event && event.session === session

const needWordsOf: Record<SessionNeed['need'], string> = {
  question: 'asks a question',
  permission: 'asks for a permission',
  context: 'its context is full',
  settings: 'its agent refuses its settings',
  login: 'waits for a login',
  page: 'a page keeps it from starting',
  breaker: 'parked by the breaker',
  down: 'its agent has ended, and does not run again yet',
}

function wallsOf(
  begun: readonly Kind<'account-walled'>[],
  ended: readonly Kind<'account-back'>[],
  until: Date,
): Report['walls'] {
  const endOf = ({ account, scope, at }: Kind<'account-walled'>): number =>
    Date.parse(
      ended.find(
        (back) => back.account === account && back.from === 'wall' && back.scope === scope && back.at >= at,
      )?.at ?? until.toISOString(),
    )
  return [...new Set(begun.map(({ account }) => account))].sort().map((account) => {
    const own = begun.filter((event) => event.account === account)
    const spans = own.map((event) => ({ from: Date.parse(event.at), to: endOf(event) }))
    return { account, count: own.length, walledMs: coveredMs(spans) }
  })
}

function incidentsOf(within: readonly OutpoolEvent[], all: readonly OutpoolEvent[]): Report['incidents'] {
  const signs = new Map<number, Kind<'service-missing' | 'service-frozen'>>()
  for (const event of within)
    if ((event.kind === 'service-missing' || event.kind === 'service-frozen') && !signs.has(event.incident))
      signs.set(event.incident, event)
  return [...signs.values()].map(({ incident: n, service, at, kind, why }) => {
    const own = all.filter((event) => 'incident' in event && event.incident === n)
    const back = own.find((event) => event.kind === 'service-back')
    const ended = own.findLast((event) => event.kind === 'escalation-ended')
    const isEscalated = own.some(({ kind }) => kind === 'escalation-started')
    return {
      ...{ n, service, at, sign: `${kind.slice('service-'.length)}: ${why}` },
      restarts: own.filter(({ kind }) => kind === 'service-restarted').length,
      downMs: back?.afterMs ?? null,
      escalation: ended?.result ?? (isEscalated ? 'open' : null),
    }
  })
}
