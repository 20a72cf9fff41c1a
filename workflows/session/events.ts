/**
 * The events of a session. Each is part of the state until a step has carried it to the session's host, which ignores one that it
 * has: so none is lost or recorded twice, and an undisturbed rescue needs no step for them.
 */
import { ActivityFailure, workflowInfo } from '@temporalio/workflow'
import type { CarriedEvents, EvidenceClass, SessionEvent } from '../../activities/contracts.js'
import type { LeaseDenial } from '../../policy/pool/lease.js'
import type { RescueEntry } from '../../policy/session/session.js'
import { now } from '../now.js'
import { eventsOn } from '../proxies.js'
import { isOnFallback } from './forks.js'
import type { SessionState, StartPlan } from './state.js'

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
type NewEvent = DistributiveOmit<SessionEvent, 'id' | 'at' | 'session'>
type WaitReason = Extract<SessionEvent, { kind: 'session-waiting' }>['reason']

/** A host that is away for long gets the newest ones. */
const maxUnsent = 100

export function emit(state: SessionState, event: NewEvent): void {
  const { workflowId, firstExecutionRunId } = workflowInfo()
  state.events.count += 1
  const id = `${workflowId}/${firstExecutionRunId}/${state.events.count}`
  state.events.unsent = [...state.events.unsent, { id, at: now(), session: state.name, ...event }].slice(
    -maxUnsent,
  )
}

/** Runs a step that carries all events so far. If it fails, the next step carries them again. */
export async function carryEvents<T>(
  state: SessionState,
  step: (carried: CarriedEvents) => Promise<T>,
): Promise<T> {
  const events = state.events.unsent
  const result = await step(events.length === 0 ? {} : { events })
  state.events.unsent = state.events.unsent.filter((event) => !events.includes(event))
  return result
}

/** To be called before the session waits without a step that could carry its events. */
export async function flushEvents(state: SessionState): Promise<void> {
  if (state.events.unsent.length === 0) return
  const { recordEvents } = eventsOn(state.host)
  try {
    await carryEvents(state, ({ events = [] }) =>
      recordEvents.executeWithOptions({ summary: 'record what happened' }, [{ events }]),
    )
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
  }
}

const sinceMs = (instant: string): number => Math.max(0, Date.parse(now()) - Date.parse(instant))

/** The wall of a plan, and how it is known. */
function wallOf({ wall, evidence = 'reading' }: StartPlan) {
  return wall && { kind: wall.kind, scope: wall.scope, resetsAt: wall.resetsAt, evidence }
}

export function emitWalled(state: SessionState, plan: StartPlan): void {
  const wall = wallOf(plan)
  if (wall === null) return
  const { kind, ...rest } = wall
  emit(state, { kind: 'session-walled', account: state.place?.name ?? '', wall: kind, ...rest })
}

/** How a wall is known that a watch has observed. */
export const observedEvidence = ({ place }: SessionState): EvidenceClass =>
  place?.kind === 'substrate' ? 'refusal' : 'transcript'

/** For a session that runs: its first start or its move, the end of a park, the change to or from a fallback. */
export function emitRunning(
  state: SessionState,
  plan: StartPlan,
  entry: RescueEntry | null,
  why: string,
): void {
  const { events, place, runsModel: model, agent, startedAt } = state
  const to = place?.name ?? ''
  if (!events.isStarted) {
    events.isStarted = true
    emit(state, { kind: 'session-started', place: to, agent, model, why, ms: sinceMs(startedAt) })
  } else if (entry !== null) {
    const { n, cause, byPerson, from, startedAt: since } = entry
    const steps = entry.steps.map(({ name, ms, fault }) => ({ name, ms, failed: fault !== undefined }))
    const conversation = state.fork === null ? 'same' : 'fork'
    const moved = {
      n,
      cause,
      ...(byPerson === true ? { byPerson } : {}),
      from,
      to,
      // A parked session moves because a place is free, whatever had parked it.
      wall: entry.wall === null ? null : wallOf(plan),
      conversation,
      why,
      ms: sinceMs(since),
      steps,
    } as const
    emit(state, { kind: 'session-moved', ...moved })
  }
  if (events.parkedSince !== null)
    emit(state, { kind: 'session-woken', to, parkedMs: sinceMs(events.parkedSince) })
  events.parkedSince = null
  const isFallback = isOnFallback(state)
  if (isFallback && events.fallbackSince === null) {
    events.fallbackSince = now()
    emit(state, { kind: 'session-on-fallback', place: to, model })
  } else if (!isFallback && events.fallbackSince !== null) {
    emit(state, { kind: 'session-off-fallback', account: to, fallbackMs: sinceMs(events.fallbackSince) })
    events.fallbackSince = null
  }
}

/** The pool has no place: the session is parked, or waits for a person. Emitted once for each. */
export function emitHeld(state: SessionState, plan: StartPlan, denial: LeaseDenial): void {
  const { needsLogin, pages, retryAt: until, why } = denial
  if (needsLogin) emitWaiting(state, 'login')
  else if (pages) emitWaiting(state, 'page')
  else emitParked(state, plan, { until, why })
}

export function emitParked(
  state: SessionState,
  plan: StartPlan | 'breaker',
  { until, why, isFailure = false }: { until: string | null; why: string; isFailure?: boolean },
): void {
  if (state.events.parkedSince !== null) return
  state.events.parkedSince = now()
  const cause = plan === 'breaker' ? plan : plan.cause
  const wall = plan === 'breaker' ? null : wallOf(plan)
  const from = state.place?.name ?? null
  const marks = {
    ...(plan !== 'breaker' && plan.byPerson === true ? { byPerson: true } : {}),
    ...(isFailure ? { isFailure } : {}),
  }
  emit(state, { kind: 'session-parked', from, cause, wall, until, why, ...marks })
}

export function emitWaiting(state: SessionState, reason: WaitReason): void {
  if (state.events.waitingSince !== null) return
  state.events.waitingSince = now()
  emit(state, { kind: 'session-waiting', reason })
}

/** To be called after each change of the phase: the end of a wait is an event, unless a person's order ended it. */
export function emitAttended(state: SessionState): void {
  const { phase, events } = state
  if (phase === 'waiting' || events.waitingSince === null) return
  if (phase !== 'paused' && phase !== 'stopped')
    emit(state, { kind: 'session-attended', waitedMs: sinceMs(events.waitingSince) })
  events.waitingSince = null
}
