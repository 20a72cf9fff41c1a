/** What stays of things that are over, and for how long. Durations and instants are milliseconds. */

/** Whichever is met first: older than `for`, or beyond the newest `atMost`. */
export interface RetentionBound {
  for: number
  atMost: number
}

export interface Retention {
  /** How often it is looked whether something is to go. */
  every: number
  /** Folders of sessions that are over. */
  sessions: RetentionBound
  /** Forks of which their session was told. */
  forks: RetentionBound
  /** Whole hand-overs, for each session. */
  handOvers: RetentionBound
  /** Incidents that are closed, with their reports. */
  incidents: RetentionBound
  /** What belongs to tasks and accounts that the configuration does not name any more. */
  unnamed: number
  /** Histories of what has ended, in the embedded engine. */
  finished: number
  /** Bytes of the embedded engine's log, before its older half is put beside it. */
  log: number
}

const day = 24 * 60 * 60_000

/** Where no configuration says otherwise. */
export const engineRetention: Pick<Retention, 'finished' | 'log'> = {
  finished: 30 * day,
  log: 5 * 1024 * 1024,
}

/** Whatever their number, younger things stay: somebody may be about to go on with them. */
export const minimumAge = day

/** Those that are to go, oldest first. `changedAt`: when anything of it was last written. */
export function expired<T extends { changedAt: number }>(
  items: readonly T[],
  { for: age, atMost }: RetentionBound,
  now: number,
): T[] {
  const isDue = ({ changedAt }: T, place: number): boolean =>
    now - changedAt > age || (place >= atMost && now - changedAt > minimumAge)
  return [...items]
    .sort((a, b) => b.changedAt - a.changedAt)
    .filter(isDue)
    .reverse()
}

/** What is known of a session whose folder is due. An engine that does not answer, or does not say, leaves it `unknown`. */
export interface SessionTraces {
  workflow: 'running' | 'over' | 'unknown'
  hasPane: boolean
  hasProcess: boolean
}

/** Parked and paused sessions have neither pane nor process, so the engine's word is needed; and it alone is not enough. */
export const isSessionOver = ({ workflow, hasPane, hasProcess }: SessionTraces): boolean =>
  workflow === 'over' && !hasPane && !hasProcess

export interface ForkStatus {
  /** Its session's own conversation was told of it; or it holds nothing beyond that conversation. */
  isHandedOver: boolean
  /** A live process has it open. */
  isOpen: boolean
}

/** A fork that is still to be handed over may be the only copy of what was done on it. */
export const isForkSpent = ({ isHandedOver, isOpen }: ForkStatus): boolean => isHandedOver && !isOpen

/** An incident of a service that is guarded no more is closed by nobody. The newest one bears the last number given. */
export const isIncidentPast = (
  incident: { n: number; closedAt: string | null; service: string },
  newest: number,
  guarded: readonly string[],
): boolean => incident.n !== newest && (incident.closedAt !== null || !guarded.includes(incident.service))
