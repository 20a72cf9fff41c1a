/** Whether a busy agent hangs, by the time since it last showed a sign of life. Instants are ms since the epoch. */
import type { Timing } from '../account/account.js'

export type Hang = 'hung-request' | 'stopped' | 'spinning'

export interface SignsOfLife {
  now: number
  /** When its pane last changed. A busy program draws all the time, whatever it waits for. */
  drawnAt: number
  /** When it last wrote or reported something, or had a tool running. */
  lastActivityAt: number
  /** When it was first observed after its host had slept, or 0. */
  awakeAt: number
  /** Whether the system has stopped its process (SIGSTOP). */
  isStopped: boolean
}

/** How the agent hangs, or null. */
export function detectHang(
  { now, drawnAt, lastActivityAt, awakeAt, isStopped }: SignsOfLife,
  { hungAfter }: Pick<Timing, 'hungAfter'>,
): Hang | null {
  const isOver = (since: number): boolean => now - Math.max(since, awakeAt) > hungAfter
  if (isOver(drawnAt)) return isStopped ? 'stopped' : 'spinning'
  return isOver(lastActivityAt) ? 'hung-request' : null
}
