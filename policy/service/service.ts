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

/** A beat that was proven to be the service's own. */
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

/** What a look makes of a service. `blind`: nothing can be proved, through no fault of the service's, so nothing is killed. */
export type Verdict = 'well' | 'busy' | 'blind' | 'missing' | 'frozen'
export type Trouble = Extract<Verdict, 'missing' | 'frozen'>

export const isTrouble = (verdict: Verdict): verdict is Trouble =>
  verdict === 'missing' || verdict === 'frozen'

/** What the watchdog is about comes before what was last seen. */
export function displayedState(state: ServiceState, verdict: Verdict | null): ServiceState {
  if (verdict === null || state === 'paused' || state === 'escalated' || state === 'restarting') return state
  return verdict === 'well' || verdict === 'blind' ? 'running' : verdict
}

/** What the watchdog's workflow has to know of a service; the rest of its configuration stays on the host. */
export interface ServiceSpec {
  name: string
  host: string
  /** Whose channels tell a person. */
  pool: string
  every: number
  restarts: RestartLimit
  /** Whether Outpool can start it; what is only watched is left to the wake-up, or to a person. */
  canStart: boolean
  /** Null where nobody is woken: a person is told instead. */
  wakeUp: EscalationBackoff | null
}

export interface EscalationBackoff {
  /** Waited before the next round of places; longer each time. */
  retryEvery: number
  /** No pause is longer. */
  retryAtMost: number
}

/** An agent costs money each time: who was called before in vain, or for nothing lasting, is called again later each time. */
export const maxEscalationPause = 6 * 60 * 60_000

/** However often restarts failed, the next one comes after this at the latest. */
export const maxRestartPause = 60 * 60_000

export interface RestartLimit {
  /** Restarts after the first start within `within`; the next one due is an escalation. */
  limit: number
  within: number
  /** Waited before the second restart; doubled with each, up to `every`. */
  pause: number
  /** Beyond the limit no pause is longer. */
  pauseAtMost: number
}

/** A login or a substrate of the healer's own. */
export interface HealerPlace {
  kind: 'account' | 'substrate'
  name: string
}
