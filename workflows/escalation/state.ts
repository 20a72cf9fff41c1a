/** The state of an escalation, in one object that is carried over at continue-as-new. */
import type { HealerPlace } from '../../policy/service/service.js'
import type { EscalationStart, EscalationView } from '../messages.js'

export interface EscalationState extends EscalationStart {
  startedAt: string
  /** Agents woken so far. */
  attempts: number
  /** Rounds after which a person was notified. */
  rounds: number
  /** Places that failed in this round. */
  tried: { place: HealerPlace; why: string }[]
  /** Agents of this round after whose work the check failed. */
  failedChecks: number
  /** Where an agent works now, or null. */
  place: HealerPlace | null
  attention: string | null
}

export function newState(start: EscalationStart, now: string): EscalationState {
  return {
    ...start,
    ...{ startedAt: now, attempts: 0, rounds: 0, tried: [], failedChecks: 0, place: null, attention: null },
  }
}

export function view({ service, incident, attempts, place, attention }: EscalationState): EscalationView {
  return { service, incident, attempts, place: place?.name ?? null, attention }
}
