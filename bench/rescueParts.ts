/** Where the time of a rescue goes, read off the session's history in the engine and off its rescue log. */
import { tsToMs } from '@temporalio/common/lib/time.js'
import type proto from '@temporalio/proto'
import type { RescueStep } from '../policy/session.js'
import { sessionSignals } from '../workflows/messages.js'

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent

export interface Hop {
  /** From the report to the replacement running, in order; milliseconds. */
  parts: Record<string, number>
  /** Events that this rescue wrote into the session's history, the end of the old watch and the new one included. */
  events: number
}

/**
 * `reported`, `written` (the wall's row in the transcript) and `running` in milliseconds since the epoch; `events`: the
 * whole history, oldest first.
 */
export function hopOf(
  events: readonly HistoryEvent[],
  log: readonly RescueStep[],
  at: { reported: number; written: number; running: number },
): Hop {
  const activity = new Map<string, string>()
  for (const { eventId, activityTaskScheduledEventAttributes: scheduled } of events)
    if (scheduled) activity.set(String(eventId), scheduled.activityType?.name ?? '')
  const seen = events.findIndex(
    (event) =>
      tsToMs(event.eventTime) >= at.reported &&
      activity.get(String(event.activityTaskCompletedEventAttributes?.scheduledEventId)) === 'watchAgent',
  )
  if (seen < 0) throw new Error('no watch ended after the report')
  const after = events.slice(seen)
  const when = (what: string, fits: (event: HistoryEvent) => boolean): number => {
    const found = after.find(fits)
    if (!found) throw new Error(`the history holds no ${what} after the report`)
    return tsToMs(found.eventTime)
  }
  const completed = (name: string): number =>
    when(`end of ${name}`, ({ activityTaskCompletedEventAttributes: done }) => {
      return done != null && activity.get(String(done.scheduledEventId)) === name
    })
  const granted = when(
    'lease',
    (event) => event.workflowExecutionSignaledEventAttributes?.signalName === sessionSignals.leaseGranted,
  )
  const started = when('start of launchAgent', ({ activityTaskStartedEventAttributes: start }) => {
    return start != null && activity.get(String(start.scheduledEventId)) === 'launchAgent'
  })
  const took = (name: string): number => log.find((step) => step.name === name)?.ms ?? 0
  const prepared = took('clear') + took('prepare')
  const watched = completed('watchAgent')
  // The row may be there before the hook has reported.
  const evident = Math.max(at.reported, at.written)
  const stopped = completed('stopAgent')
  const carried = took('carry')
  const spawned = started + carried + prepared + took('respawn')
  const next = after.findIndex(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === 'watchAgent',
  )
  return {
    parts: {
      'wall’s row written by the program': evident - at.reported,
      'report and row read and judged': watched - evident,
      lease: granted - watched,
      'old process ended': stopped - granted,
      'launch handed out': started - stopped,
      'conversation carried': carried,
      'way cleared, place prepared': prepared,
      'tmux respawn': took('respawn'),
      'the program’s own start': at.running - spawned,
    },
    // The end of a watch is written as two events, of which the first is its start.
    events: after.slice(0, next + 1).length + 1,
  }
}
