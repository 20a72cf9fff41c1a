/** What is kept of sessions, incidents and logs, and for how long. Durations and instants are milliseconds. */

/** Deleted is what is older than `maxAge`, or not among the newest `maxCount`. */
export interface RetentionBound {
  maxAge: number
  maxCount: number
}

export interface Retention {
  /** The interval of the cleanup. */
  every: number
  /** Folders of sessions that have ended. */
  sessions: RetentionBound
  /** Forks that were handed over. */
  forks: RetentionBound
  /** Files with whole hand-overs, for each session. */
  handOvers: RetentionBound
  /** Incidents that are closed, with their reports. */
  incidents: RetentionBound
  /** Files of tasks and accounts that the configuration no longer names. */
  unnamed: number
  /** Histories of workflows that have ended, in the embedded engine. */
  finished: number
  /** Bytes of the embedded engine's log, before it is rotated. */
  log: number
}

const day = 24 * 60 * 60_000

/** The defaults for the embedded engine. */
export const engineRetention: Pick<Retention, 'finished' | 'log'> = {
  finished: 30 * day,
  log: 5 * 1024 * 1024,
}

/** Nothing younger is deleted, however much there is: a person may be about to continue with it. */
export const minimumAge = day

/** The items to delete, oldest first. `changedAt`: when anything of an item was last written. */
export function expired<T extends { changedAt: number }>(
  items: readonly T[],
  { maxAge, maxCount }: RetentionBound,
  now: number,
): T[] {
  const isDue = ({ changedAt }: T, place: number): boolean =>
    now - changedAt > maxAge || (place >= maxCount && now - changedAt > minimumAge)
  return [...items]
    .sort((a, b) => b.changedAt - a.changedAt)
    .filter(isDue)
    .reverse()
}

/** What is known of a session whose folder is due. `unknown`: the engine did not answer, or does not know the session. */
export interface SessionTraces {
  workflow: 'running' | 'over' | 'unknown'
  hasPane: boolean
  hasProcess: boolean
}

/** Parked and paused sessions have neither pane nor process, so that the engine has to be asked; its answer alone is not enough. */
export const isSessionOver = ({ workflow, hasPane, hasProcess }: SessionTraces): boolean =>
  workflow === 'over' && !hasPane && !hasProcess

export interface ForkStatus {
  /** Its session's conversation knows of the fork, or the fork holds nothing beyond that conversation. */
  isHandedOver: boolean
  /** Whether a live process has it open. */
  isOpen: boolean
}

/** Whether a fork may be deleted. Before its hand-over it may be the only copy of the work done on it. */
export const isForkSpent = ({ isHandedOver, isOpen }: ForkStatus): boolean => isHandedOver && !isOpen

/** Whether an incident is over. One of a service that is no longer guarded is never closed. The newest one keeps the last number. */
export const isIncidentPast = (
  incident: { n: number; closedAt: string | null; service: string },
  newest: number,
  guarded: readonly string[],
): boolean => incident.n !== newest && (incident.closedAt !== null || !guarded.includes(incident.service))
