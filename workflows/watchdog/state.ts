/** Everything a watchdog knows, in one object that survives continue-as-new. */
import type { ServiceSpec, ServiceState } from '../../policy/service/service.js'
import type { WatchdogView } from '../messages.js'

export interface WatchdogState {
  spec: ServiceSpec
  state: ServiceState
  pid: number | null
  /** Grows with each start. */
  fence: number
  /** The first start has been seen to. */
  isStarted: boolean
  /** Instants of the restarts that still count. */
  restarts: string[]
  /** Instants of the escalations that still count. */
  escalations: string[]
  /** The incident that is open. */
  incident: number | null
  /** What is to be done about it, and when; null where nothing is. `wait`: only the service itself, or a person, can end it. */
  due: { at: string; step: 'restart' | 'escalate' } | { step: 'wait' } | null
  /** Signs of life have to be newer than this for the incident to be over. */
  since: string
  /** The incident's escalation is at work: it alone acts on the service. */
  isEscalated: boolean
  paused: boolean
  attention: string | null
}

export function isState(input: ServiceSpec | WatchdogState): input is WatchdogState {
  return 'spec' in input
}

/** The fence starts from the clock: a host remembers the newest, and an engine whose database was lost must not fall behind it. */
export function newState(spec: ServiceSpec, now: string): WatchdogState {
  return {
    spec,
    ...{ state: 'running', pid: null, fence: Math.floor(Date.parse(now) / 1000), isStarted: false },
    ...{ restarts: [], escalations: [], incident: null, due: null, since: now },
    ...{ isEscalated: false, paused: false, attention: null },
  }
}

export function view({ spec, state, pid, restarts, incident, attention }: WatchdogState): WatchdogView {
  return { name: spec.name, host: spec.host, state, pid, restarts: restarts.length, incident, attention }
}
