/** Everything an escalation knows, in one object that survives continue-as-new. */
import type { HealerPlace } from '../../policy/service/service.js'
import type { EscalationStart, EscalationView } from '../messages.js'

export interface EscalationState extends EscalationStart {
  startedAt: string
  /** Agents woken so far. */
  attempts: number
  /** Rounds after which a person was told. */
  rounds: number
  /** Places that failed in this round. */
  tried: { place: HealerPlace; why: string }[]
  /** Agents of this round whose work the check did not agree to. */
  failedChecks: number
  /** Where an agent works now. */
  place: HealerPlace | null
  attention: string | null
}

export function isState(input: EscalationStart | EscalationState): input is EscalationState {
  return 'attempts' in input
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
