/** Where the time of a rescue goes, read off the session's history in the engine and off its rescue log. */
import { tsToMs } from '@temporalio/common/lib/time.js'
import type proto from '@temporalio/proto'
import type { RescueStep } from '../policy/session/session.js'

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent

export interface Hop {
  /** From the report to the replacement running, in order; milliseconds. */
  parts: Record<string, number>
  /** Events that this rescue wrote into the session's history, the end of the old watch and the new one included. */
  events: number
}

/** An event, and the step of the host that it tells of, if any. */
export interface AttributedEvent {
  event: HistoryEvent
  step: string | null
}

/** The events of one run, whose numbers begin anew with each. */
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
 * `reported`, `written` (the wall's row in the transcript) and `running` in milliseconds since the epoch; `events` and
 * `ofPool`: the whole histories, oldest first.
 */
export function measureHop(
  events: readonly AttributedEvent[],
  ofPool: readonly AttributedEvent[],
  log: readonly RescueStep[],
  at: { reported: number; written: number; running: number },
): Hop {
  const isEndOf = (name: string, { event, step }: AttributedEvent): boolean =>
    step === name && event.activityTaskCompletedEventAttributes != null
  const seen = events.findIndex(
    (told) => tsToMs(told.event.eventTime) >= at.reported && isEndOf('watchAgent', told),
  )
  if (seen < 0) throw new Error('no watch ended after the report')
  const after = events.slice(seen)
  const when = (what: string, fits: (told: AttributedEvent) => boolean): number => {
    const found = after.find(fits)
    if (!found) throw new Error(`the history holds no ${what} after the report`)
    return tsToMs(found.event.eventTime)
  }
  const completed = (name: string): number => when(`end of ${name}`, (told) => isEndOf(name, told))
  const asked = ofPool.find(
    ({ event }) =>
      event.workflowExecutionUpdateAcceptedEventAttributes && tsToMs(event.eventTime) >= at.reported,
  )
  if (!asked) throw new Error('the pool was asked for nothing after the report')
  const askedAt = tsToMs(asked.event.eventTime)
  const started = when(
    'start of launchAgent',
    ({ event, step }) => step === 'launchAgent' && event.activityTaskStartedEventAttributes != null,
  )
  const took = (name: string): number => log.find((step) => step.name === name)?.ms ?? 0
  const prepared = took('clear') + took('prepare')
  const watched = completed('watchAgent')
  // The row may be there before the hook has reported.
  const evident = Math.max(at.reported, at.written)
  const stopped = log.find(({ name }) => name.startsWith('stop'))?.ms ?? 0
  const carried = took('carry')
  const spawned = started + stopped + carried + prepared + took('respawn')
  const next = after.findIndex(
    ({ event, step }) => step === 'watchAgent' && event.activityTaskScheduledEventAttributes != null,
  )
  return {
    parts: {
      'the wall’s entry written by the program': evident - at.reported,
      'report and entry read, the pool asked': askedAt - evident,
      'place granted': watched - askedAt,
      'launch handed out': started - watched,
      'old process ended': stopped,
      'conversation carried': carried,
      'other processes checked, place prepared': prepared,
      'tmux respawn': took('respawn'),
      'the program’s own start': at.running - spawned,
    },
    // The end of a watch is written as two events, of which the first is its start.
    events: after.slice(0, next + 1).length + 1,
  }
}
