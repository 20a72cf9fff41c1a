/** Shapes of the activities that take over an agent of a person, and that give one up. */
import type { Adoption, AdoptionLoss } from '../../policy/session/adoption.js'
import type { CarriedEvents, SessionRef } from '../contracts.js'

export interface AdoptionRequest {
  session: string
  sessionId: string
  agent: string
  cwd: string
  adoption: Adoption
}

export interface AdoptionWait extends AdoptionRequest {
  /** What is known to hold it up: the wait returns when that changes. Empty for nothing. */
  blockedBy: AdoptionLoss[]
}

export type AdoptionObservation =
  /** The conversation may be another one by now, if the person has changed to one in the same process. */
  | { kind: 'ready'; sessionId: string; turn: 'idle' | 'cut-off' }
  /** Its turn is over, but something would not carry over that no person has agreed to lose. Empty: nothing any more. */
  | { kind: 'blocked'; losses: AdoptionLoss[] }

export interface ReturnRequest extends AdoptionRequest {
  /** The session is over: a process that was not ended is not to be adopted any more. */
  isOver: boolean
}

/** What became of the person's process. */
export type ReturnResult =
  /** It was not ended. */
  | { kind: 'untouched' }
  /** It runs again where it was. */
  | { kind: 'returned' }
  /** There is no place to start it again, or it is not known whether that succeeded. */
  | { kind: 'not-returned' }

export interface ReleaseRequest extends SessionRef, CarriedEvents {
  /** The model that it runs with; null is the program's default. */
  model: string | null
}

/** How a person goes on with a session that Outpool has released. */
export interface ReleaseResult {
  /** Name of the tmux session with its process on Outpool's server; null if no process runs. */
  tmuxSession: string | null
  tmuxSocket: string
  /** The command line that resumes the conversation. Holds no secret. */
  resume: string
}

export interface AdoptionActivities {
  /** Waits until the agent can be taken over. Touches nothing. */
  awaitAdoption(request: AdoptionWait): Promise<AdoptionObservation>
  /** After a failed launch: starts the person's process again where it was, unless it still runs. */
  returnAgent(request: ReturnRequest): Promise<ReturnResult>
  /** Shows the session in the terminal where the person had the agent. */
  settleAdoption(request: AdoptionRequest): Promise<void>
  /** The session's process goes on, and nothing of Outpool touches it any more. */
  releaseAgent(request: ReleaseRequest): Promise<ReleaseResult>
}
