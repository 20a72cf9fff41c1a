/** Shapes of the host-bound activities on guarded services. Prompts, output and answers never pass here: they stay in files of the host. */
import type { HealerPlace, ProvenBeat, Trouble, Verdict } from '../../policy/service/service.js'
import type { SessionRef } from '../contracts.js'

export interface ServiceWatchRequest {
  service: string
  /** False while trouble is known and somebody acts on it: it is looked on, so that people see how it stands. */
  reportTrouble: boolean
  /** An open incident after whose restart the service being well again is news; null where there is none. */
  incident: number | null
  /** Signs of life before this prove nothing about the time after the last restart. */
  since: string
}

/** Why a watch returned. */
export type ServiceObservation =
  | { kind: 'trouble'; verdict: Trouble; why: string; incident: number }
  /** Well again; the incident's report is closed. */
  | { kind: 'back' }
  | { kind: 'rollover' }

export interface ServiceStatus {
  verdict: Verdict
  why: string
  pid: number | null
  lastBeat: ProvenBeat | null
  nextCheckAt: string
}

export interface ServiceStartRequest {
  service: string
  /** Grows with each start; a host refuses an older one. */
  fence: number
  /** The incident that this is to end; null for the first start. */
  incident: number | null
  /** Who acts, and the how-manieth time: for the report. */
  description: string
}

export interface ServiceStartResult {
  /** False where a last look showed that nothing has to be started: nothing was touched. */
  started: boolean
  pid: number | null
}

export interface WakeUpRequest {
  service: string
  incident: number
  /** 1 for the first agent of the incident. */
  attempt: number
  /** Places that failed in this round, and why. */
  tried: { place: HealerPlace; why: string }[]
}

/** Whom to wake, and with what. */
export type WakeUpPlan =
  | {
      kind: 'ready'
      place: HealerPlace
      agent: string
      model: string | null
      cwd: string
      /** Where the prompt lies; it stays on the host. */
      promptFile: string
      /** Milliseconds that the agent may take. */
      timeout: number
    }
  /** Nobody can be woken now. `why` is for a person. */
  | { kind: 'none'; why: string }

export interface WakeUpWatchRequest extends SessionRef {
  service: string
  incident: number
  model: string | null
  transcriptFrom: number
  waitingFor: string | null
  /** The agent is ended at this instant, whatever it does. */
  until: string
}

/** What became of the woken agent. */
export type WakeUpObservation =
  | { kind: 'done' }
  /** It has had its time, or spent what it may: what it did is checked all the same. */
  | { kind: 'over'; why: string }
  /** Its place failed: the next one is tried. */
  | { kind: 'failed'; why: string }
  | { kind: 'waiting'; what: string; transcriptTo: number }
  | { kind: 'again'; transcriptTo: number }

export interface WakeUpEndRequest extends SessionRef {
  service: string
  incident: number
  /** One line for the report. */
  description: string
  /** Where its words begin in the transcript. */
  transcriptFrom: number
}

export interface VerifyRequest {
  service: string
  incident: number
  /** For the start of a service that the agent mended and did not start. */
  fence: number
  /** Signs of life have to be newer than this. */
  since: string
}

export interface VerifyResult {
  well: boolean
  why: string
}

export interface AwaitRecoveryRequest {
  service: string
  since: string
}

interface NoteIncidentRequest {
  service: string
  incident: number
  layer: 'watchdog' | 'wake-up' | 'check' | 'person'
  what: string
}

interface CloseIncidentRequest {
  service: string
  incident: number
  outcome: 'recovered' | 'healed' | 'given-up'
  description: string
}

export interface ServiceActivities {
  /** Stands on a service while all is well. */
  watchService(request: ServiceWatchRequest): Promise<ServiceObservation>
  /** Looks now. A watch that stands on it takes note of what is seen. */
  checkService(request: { service: string }): Promise<ServiceStatus>
  /** Idempotent per fence. Looks once more first; what is well or busy is not touched. */
  startService(request: ServiceStartRequest): Promise<ServiceStartResult>
  /** Ends what Outpool started; what is only watched is left alone. */
  retireService(request: { service: string }): Promise<void>
  /** Returns once the service is well by itself. */
  awaitServiceRecovery(request: AwaitRecoveryRequest): Promise<void>
  prepareWakeUp(request: WakeUpRequest): Promise<WakeUpPlan>
  watchWakeUp(request: WakeUpWatchRequest): Promise<WakeUpObservation>
  /** Ends the agent, and keeps what it said last in the incident's report on this host. */
  endWakeUp(request: WakeUpEndRequest): Promise<void>
  /** Checked, not believed: the own beat has to be back, and `verify` has to succeed. */
  verifyService(request: VerifyRequest): Promise<VerifyResult>
  noteIncident(request: NoteIncidentRequest): Promise<void>
  /** Answers the report, without its quotes. */
  closeIncident(request: CloseIncidentRequest): Promise<string>
}
