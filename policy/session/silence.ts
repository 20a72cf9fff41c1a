/**
 * Whether what is known of a session is still known: its state comes from the worker of its host, and is old as soon as that worker
 * is not heard of any more. Instants are ISO 8601 in UTC or ms since the epoch, as named; durations are milliseconds.
 */
import { iso, toMs } from '../instants.js'
import type { SessionView } from './session.js'

/** A worker gives a sign of life several times within this. */
const silentAfter = 30_000
/** From then on a person should look, and is notified. A worker that is restarted is back before. */
export const silenceNeedsPersonAfter = 60_000

export interface Silence {
  /** When the host was last heard of; null if it never was. */
  since: string | null
  needsPerson: boolean
}

/** The phases in which no worker has to watch the session. */
const unwatched: readonly SessionView['phase'][] = ['paused', 'stopped']

/**
 * Null while the host of the session is heard of, and if nothing depends on it. `heardAt`: when it last was, in ms, or null;
 * a session that has just been started is not missed yet.
 */
export function silenceOf(
  { phase, startedAt }: Pick<SessionView, 'phase'> & { startedAt: string },
  heardAt: number | null,
  now: number,
): Silence | null {
  if (unwatched.includes(phase)) return null
  const silentFor = now - (heardAt ?? toMs(startedAt))
  if (silentFor <= silentAfter) return null
  return {
    since: heardAt === null ? null : iso(heardAt),
    needsPerson: silentFor > silenceNeedsPersonAfter,
  }
}
