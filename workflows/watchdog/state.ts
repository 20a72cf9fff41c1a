/** The state of a watchdog, in one object that is carried over at continue-as-new. */
import type { ServiceSpec, ServiceState } from '../../policy/service/service.js'
import { firstFence } from '../fences.js'
import type { WatchdogView } from '../messages.js'

export interface WatchdogState {
  spec: ServiceSpec
  state: ServiceState
  pid: number | null
  /** Grows with each start. */
  fence: number
  /** Whether the first start is done. */
  isStarted: boolean
  /** Instants of the restarts that still count. */
  restarts: string[]
  /** Instants of the escalations that still count. */
  escalations: string[]
  /** The incident that is open. */
  incident: number | null
  /** The next step, and when it is due; null for none. `wait`: only the service itself or a person can end the incident. */
  due: { at: string; step: 'restart' | 'escalate' } | { step: 'wait' } | null
  /** Signs of life have to be newer than this for the incident to be over. */
  since: string
  /** Whether the incident's escalation is at work: it alone acts on the service. */
  isEscalated: boolean
  paused: boolean
  attention: string | null
}

export function newState(spec: ServiceSpec, now: string): WatchdogState {
  return {
    spec,
    ...{ state: 'running', pid: null, fence: firstFence(now), isStarted: false },
    ...{ restarts: [], escalations: [], incident: null, due: null, since: now },
    ...{ isEscalated: false, paused: false, attention: null },
  }
}

export function view({ spec, state, pid, restarts, incident, attention }: WatchdogState): WatchdogView {
  return { name: spec.name, host: spec.host, state, pid, restarts: restarts.length, incident, attention }
}
