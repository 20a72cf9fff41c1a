/** Shapes of the host-bound activities on guarded services. Prompts, output and answers are not in them: they stay in files of the host. */
import type { HealerPlace, ProvenBeat, Trouble, Verdict } from '../../policy/service/service.js'
import type { SessionRef } from '../contracts.js'

export interface ServiceWatchRequest {
  service: string
  /** False while trouble is known and being handled: the watch then only keeps the service's state up to date. */
  reportTrouble: boolean
  /** An open incident: the watch returns once the service is well again. Null if there is none. */
  incident: number | null
  /** When the last restart was: earlier signs of life don't count. */
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
  /** Who starts it, and which attempt this is: for the report. */
  description: string
  /** A person asks for it: also a service that is well is started again. */
  byHand?: true
}

export interface ServiceStartResult {
  /** False if a last check showed that nothing has to be started; the service was left alone. */
  started: boolean
  pid: number | null
}

export interface WakeUpRequest {
  service: string
  incident: number
  /** 1 for the first agent of the incident. */
  attempt: number
  /** Places that have failed in this escalation, and why. */
  tried: { place: HealerPlace; why: string }[]
}

/** The agent to wake, where, and with which prompt. */
export type WakeUpPlan =
  | {
      kind: 'ready'
      place: HealerPlace
      agent: string
      model: string | null
      cwd: string
      /** The prompt; it stays on the host. */
      promptFile: string
      /** Milliseconds that the agent may take. */
      timeout: number
    }
  /** No agent can be woken now. `why` is for a person. */
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
  /** It reached its limit of time or spending. What it did is checked all the same. */
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
  /** Where its part of the transcript begins, in bytes. */
  transcriptFrom: number
}

export interface VerifyRequest {
  service: string
  incident: number
  /** For starting the service, if the agent mended it without starting it. */
  fence: number
  /** Earlier signs of life don't count. */
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

/** `what`: why no agent could help, for the incident, which also says whether a person is notified. */
interface NoteIncidentRequest {
  service: string
  incident: number
  what: string
}

interface CloseIncidentRequest {
  service: string
  incident: number
  outcome: 'recovered' | 'healed' | 'given-up'
  description: string
}

export interface ServiceActivities {
  /** Watches a service while all is well. */
  watchService(request: ServiceWatchRequest): Promise<ServiceObservation>
  /** Checks the service now. A running watch gets the result too. */
  checkService(request: { service: string }): Promise<ServiceStatus>
  /** Idempotent per fence. Checks the service first, and does nothing if it is well or busy, unless a person asks for it. */
  startService(request: ServiceStartRequest): Promise<ServiceStartResult>
  /** Ends a service that Outpool started; one that is only watched is left alone. */
  retireService(request: { service: string }): Promise<void>
  /** Returns once the service has recovered by itself. */
  awaitServiceRecovery(request: AwaitRecoveryRequest): Promise<void>
  prepareWakeUp(request: WakeUpRequest): Promise<WakeUpPlan>
  watchWakeUp(request: WakeUpWatchRequest): Promise<WakeUpObservation>
  /** Ends the agent, and keeps its last message in the incident's report on this host. */
  endWakeUp(request: WakeUpEndRequest): Promise<void>
  /** Checks what the agent did: the service's own heartbeat has to be back, and the `verify` command has to succeed. */
  verifyService(request: VerifyRequest): Promise<VerifyResult>
  /** Writes into the incident whether a person is notified. */
  noteIncident(request: NoteIncidentRequest): Promise<void>
  /** Returns the report, without its quotes. */
  closeIncident(request: CloseIncidentRequest): Promise<string>
}
