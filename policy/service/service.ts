/** What is known of a guarded service. Instants are ISO 8601 in UTC, durations milliseconds, unless a name ends in `Ms`. */

export const serviceStates = [
  'running',
  'missing',
  'frozen',
  'busy',
  'restarting',
  'escalated',
  'paused',
] as const
export type ServiceState = (typeof serviceStates)[number]

/** A beat that was proven to be written by the service. */
export interface ProvenBeat {
  by: string
  at: string
  doing: string | null
}

/** A row of `outpool services --json`. Unknown values are null. */
export interface ServiceView {
  name: string
  state: ServiceState
  pid: number | null
  lastBeat: ProvenBeat | null
  /** Restarts that still count against the limit. */
  restarts: number
  /** Number of the incident that is open; see `outpool incidents show N`. */
  incident: number | null
  nextCheckAt: string | null
}

/** The verdict of a check. `blind`: nothing can be proved, for a reason outside the service, so that nothing is killed. */
export type Verdict = 'well' | 'busy' | 'blind' | 'missing' | 'frozen'
export type Trouble = Extract<Verdict, 'missing' | 'frozen'>

export const isTrouble = (verdict: Verdict): verdict is Trouble =>
  verdict === 'missing' || verdict === 'frozen'

/** The state that is shown: what the watchdog is doing comes before its last observation. */
export function displayedState(state: ServiceState, verdict: Verdict | null): ServiceState {
  if (verdict === null || state === 'paused' || state === 'escalated' || state === 'restarting') return state
  return verdict === 'well' || verdict === 'blind' ? 'running' : verdict
}

/** What the watchdog's workflow knows of a service. The rest of its configuration stays on the host. */
export interface ServiceSpec {
  name: string
  host: string
  /** The pool through whose channels a person is notified. */
  pool: string
  every: number
  restarts: RestartLimit
  /** Whether Outpool can start the service. If not, only a woken agent or a person can. */
  canStart: boolean
  /** Null if no agent is to be woken: a person is notified instead. */
  wakeUp: EscalationBackoff | null
}

export interface EscalationBackoff {
  /** The pause before the next round of places; longer each time. */
  retryEvery: number
  /** The longest pause. */
  retryMaxInterval: number
}

/** The longest pause between escalations: an agent costs money each time, so that each next one comes later. */
export const maxEscalationPause = 6 * 60 * 60_000

/** The longest pause between restarts, however often they failed. */
export const maxRestartPause = 60 * 60_000

export interface RestartLimit {
  /** Restarts after the first start within `within`; the next one due is an escalation. */
  limit: number
  within: number
  /** The pause before the second restart; doubled with each, up to `every`. */
  backoff: number
  /** The longest pause beyond the limit. */
  backoffMax: number
}

/** One of the healer's logins or substrates. */
export interface HealerPlace {
  kind: 'account' | 'substrate'
  name: string
}
