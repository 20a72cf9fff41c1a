/** Which sessions the list shows, and in what order. */
import { type Phase, phases } from '../../policy/session/session.js'
import type { FleetSession } from './fleet.js'

export const sortKeys = ['attention', 'name', 'phase', 'account', 'age'] as const
type SortKey = (typeof sortKeys)[number]

export interface Arrangement {
  sort: SortKey
  reversed: boolean
  /** Words that a session has to match, all of them; empty: every session. */
  filter: string
}

export type Shown = Phase | 'unheard'

/** What a session does whose host is silent is not known. */
export const shownPhase = ({ phase, silentSince }: FleetSession): Shown =>
  silentSince === undefined ? phase : 'unheard'

export const placeOf = ({ account, substrate }: FleetSession): string => account ?? substrate ?? '-'

/** Whether a person should act. */
export const needsPerson = ({ attention, phase }: FleetSession): boolean =>
  attention !== null && phase !== 'stopped'

/** Sessions that need a person come first, then those of which nothing is known, then active ones, then the others. */
const urgency: Readonly<Record<Shown, number>> = {
  ...{
    waiting: 0,
    unheard: 1,
    rescuing: 2,
    starting: 3,
    parked: 4,
    working: 5,
    idle: 6,
    paused: 7,
    stopped: 8,
  },
}
const urgencyOf = (session: FleetSession): number =>
  needsPerson(session) ? urgency.waiting : urgency[shownPhase(session)]

/** The most urgent first: what is cut off on a narrow terminal matters least. */
export const shownPhases = (Object.keys(urgency) as Shown[]).sort((a, b) => urgency[a] - urgency[b])

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The youngest comes first by age, since it is the one that a person has just started. */
const comparisons: Readonly<Record<SortKey, (a: FleetSession, b: FleetSession) => number>> = {
  attention: (a, b) => urgencyOf(a) - urgencyOf(b),
  name: () => 0,
  phase: (a, b) => phases.indexOf(a.phase) - phases.indexOf(b.phase),
  account: (a, b) => byText(placeOf(a), placeOf(b)),
  age: (a, b) => byText(b.startedAt, a.startedAt),
}

/** Sessions that are equal in the chosen order come by name. */
export function arrange(
  sessions: readonly FleetSession[],
  { sort, reversed, filter }: Arrangement,
): FleetSession[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const compare = comparisons[sort]
  const arranged = sessions
    .filter((session) => matches(session, words))
    .sort((a, b) => compare(a, b) || byText(a.name, b.name))
  return reversed ? arranged.reverse() : arranged
}

function matches(session: FleetSession, words: readonly string[]): boolean {
  if (words.length === 0) return true
  const text = [session.name, placeOf(session), shownPhase(session), session.cwd].join('\n').toLowerCase()
  return words.every((word) => text.includes(word))
}
