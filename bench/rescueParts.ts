/** The parts of a rescue's time, read from the session's history in the engine and from its rescue log. */
import { tsToMs } from '@temporalio/common/lib/time.js'
import type proto from '@temporalio/proto'
import type { RescueStep } from '../policy/session/session.js'

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent

export interface Hop {
  /** From the report to the running replacement, in order; milliseconds. */
  parts: Record<string, number>
  /**
   * Events that this rescue added to the session's history, including the end of the old watch and the new
   * one.
   */
  events: number
}

/** An event, and the host step that it belongs to, if any. */
export interface AttributedEvent {
  event: HistoryEvent
  step: string | null
}

/** The events of one run; their numbers begin at 1 in each. */
export function attributeEvents(events: readonly HistoryEvent[]): AttributedEvent[] {
  const steps = new Map<string, string>()
  for (const { eventId, activityTaskScheduledEventAttributes: scheduled } of events)
    if (scheduled) steps.set(String(eventId), scheduled.activityType?.name ?? '')
  return events.map((event) => {
    const { scheduledEventId = event.eventId } =
      event.activityTaskStartedEventAttributes ?? event.activityTaskCompletedEventAttributes ?? {}
    return { event, step: steps.get(String(scheduledEventId)) ?? null }
  })
}

/**
 * `reported`, `written` (the wall's entry in the transcript) and `running` in milliseconds since the epoch;
 * `events` and `ofPool`: the whole histories, oldest first.
 */
export function measureHop(
  events: readonly AttributedEvent[],
  ofPool: readonly AttributedEvent[],
  log: readonly RescueStep[],
  at: { reported: number; written: number; running: number },
): Hop {
  const isEndOf = (name: string, { event, step }: AttributedEvent): boolean =>
    step === name && event.activityTaskCompletedEventAttributes != null
  const watchEnd = events.findIndex(
    (entry) => tsToMs(entry.event.eventTime) >= at.reported && isEndOf('watchAgent', entry),
  )
  if (watchEnd < 0) throw new Error('no watch ended after the report')
  const after = events.slice(watchEnd)
  const when = (what: string, fits: (entry: AttributedEvent) => boolean): number => {
    const found = after.find(fits)
    if (!found) throw new Error(`the history holds no ${what} after the report`)
    return tsToMs(found.event.eventTime)
  }
  const completed = (name: string): number => when(`end of ${name}`, (entry) => isEndOf(name, entry))
  const request = ofPool.find(
    ({ event }) =>
      event.workflowExecutionUpdateAcceptedEventAttributes && tsToMs(event.eventTime) >= at.reported,
  )
  if (!request) throw new Error('the pool got no request after the report')
  const requestedAt = tsToMs(request.event.eventTime)
  const started = when(
    'start of launchAgent',
    ({ event, step }) => step === 'launchAgent' && event.activityTaskStartedEventAttributes != null,
  )
  const msOf = (name: string): number => log.find((step) => step.name === name)?.ms ?? 0
  const prepared = msOf('clear') + msOf('prepare')
  const watched = completed('watchAgent')
  // The entry may exist before the hook has reported.
  const evident = Math.max(at.reported, at.written)
  const stopped = log.find(({ name }) => name.startsWith('stop'))?.ms ?? 0
  const carried = msOf('carry')
  const spawned = started + stopped + carried + prepared + msOf('respawn')
  const next = after.findIndex(
    ({ event, step }) => step === 'watchAgent' && event.activityTaskScheduledEventAttributes != null,
  )
  return {
    parts: {
      'the wall’s entry written by the program': evident - at.reported,
      'report and entry read, the pool asked': requestedAt - evident,
      'place granted': watched - requestedAt,
      'launch handed out': started - watched,
      'old process ended': stopped,
      'conversation carried': carried,
      'other processes checked, place prepared': prepared,
      'tmux respawn': msOf('respawn'),
      'the program’s own start': at.running - spawned,
    },
    // The end of a watch is written as two events, of which the first is its start.
    events: after.slice(0, next + 1).length + 1,
  }
}
