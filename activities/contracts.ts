/** Shapes of the host-bound activities: the requests of workflows, and the results. */
import type { AccountReading, Wall, Window } from '../policy/account/account.js'
import type { DrillReport, DrillObservation, DrillStage } from '../policy/independence/drill.js'
import type { Hang } from '../policy/session/hang.js'
import type { FeatureOff } from '../policy/features.js'
import type { LeaseAnswer, PreparedLeaseRequest } from '../policy/pool/lease.js'
import type { Notice } from '../policy/notices/notice.js'
import type { Adoption } from '../policy/session/adoption.js'
import type { PlaceRef } from '../policy/session/place.js'
import type { RescueStep } from '../policy/session/session.js'
import type { EventDraft, EvidenceClass } from '../config/events/schema.js'

export type { EvidenceClass, EventDraft, PlaceRef }

/** An event of a session, as its workflow gives it to the host. */
export type SessionEvent = Extract<EventDraft, { session: string }>

/** Events that a step takes along to the host, which records each once. */
export interface CarriedEvents {
  events?: EventDraft[]
}

/** Names one process of one session. Every host-bound activity carries it, and a host refuses an older fence. */
export interface SessionRef {
  session: string
  /** The conversation that the process writes: the session's own, or its fork on a substrate. */
  sessionId: string
  fence: number
  agent: string
  cwd: string
  place: PlaceRef
}

export interface LaunchRequest extends SessionRef, CarriedEvents {
  model: string | null
  /** Stops the previous process first, if its turn is known to be interrupted. */
  stop?: StopRequest
  /** Whether the session ran before. A known conversation is always resumed, even if this is `new`. */
  mode: 'new' | 'resume'
  /** On a substrate: the session's own conversation, from which the fork begins if it does not exist yet. */
  forkOf?: string | null
  /** Forks that may not have been handed over to this conversation, oldest first. The next prompt hands them over. */
  forks?: string[]
  /** The conversation that the session wrote last, and where, even if the configuration no longer names that place. */
  lastWritten?: { sessionId: string; transcript: string } | null
  /** Submitted at once. `text` is the text itself or a file on the host. If the conversation holds it already, `otherwise` is submitted. */
  prompt: { text: string | { file: string }; otherwise: string | null } | null
  /** Takes over the agent of a person first, whose conversation this is. */
  adopt?: Adoption
  /** Start even if a page stays open for a person: the session has done no work yet, and no other account can take it. */
  allowOpenPage?: boolean
  /** Shown in the status bar of the session's tmux. */
  status: string
}

export interface LaunchResult {
  pane: string
  pid: number
  tmuxSocket: string
  transcript: string | null
  /** Size of the transcript before this process, in bytes: evidence before that point comes from another process. */
  transcriptFrom: number
  /** Whether the agent is known to have taken the prompt. */
  promptTaken: boolean
  /** Why a hook of the user's refused the prompt, which is not submitted again; absent if none did. */
  promptRefused?: string
  /** The requested `forks` that need no hand-over any more. */
  settledForks: string[]
  /** Names of texts that a person typed to an earlier process and that no agent has taken, in order. The texts stay on the host. */
  pendingInput: string[]
  /** Wake-ups that earlier processes planned and that no process will carry out. Their prompts stay on the host. */
  plans: PlannedWakeUp[]
  /** Features without which the launched program has to do; absent if none is off. */
  off?: FeatureOff[]
  steps: RescueStep[]
}

export interface PlannedWakeUp {
  id: string
  at: string
}

export interface StopRequest extends SessionRef, CarriedEvents {
  /** Close the pane too: the session is over. */
  closePane: boolean
  /** Fail with DraftUnreadable, and end nothing, rather than lose a part of a person's draft. */
  keepsDraft?: boolean
  /** No launch follows for now, so another session may be moved. */
  endsMove?: boolean
  status: string
}

export interface StopResult {
  steps: RescueStep[]
  /** Whether a turn was interrupted. */
  wasWorking: boolean
}

export interface WatchRequest extends SessionRef, CarriedEvents {
  model: string | null
  /** Bytes of the transcript. Evidence before that point comes from another process, or is known already. */
  transcriptFrom: number
  /** A planned move found no better place; the next one is not before this instant. */
  stayUntil: string | null
  /** What the session is known to wait for: the watch returns when that changes. It ends with the dialog, or with the next turn. */
  waiting: { what: string; endsWith: 'dialog' | 'turn'; digest?: string | null } | null
  /** Return at the end of a turn with an answer too: the session exists for one piece of work. */
  untilTurnEnd: boolean
  /** A person's attention is asked for until its turns succeed again: return at the first answer. */
  failing?: boolean
  /** The lease to request from the pool as soon as the account is walled. */
  leaseRequest?: { pool: string; request: PreparedLeaseRequest }
  status: string
}

/** What a watch returns. It includes the readings of the host's accounts, so that the pool can grant a lease at once. */
export type SessionObservation = {
  readings: AccountReading[]
  at: string
  /** How far the transcript was read: where the next watch of this process starts. */
  transcriptTo: number
  /** Null or missing if there is none yet: a launch without a prompt runs before anything is written. */
  transcript?: string | null
  /** Whether a turn was running, as far as can be known. */
  wasWorking: boolean
  /** Features without which a program that is launched now has to do; absent if none is off. */
  off?: FeatureOff[]
} &
  /** `lease`: the pool's answer; null or missing if the pool was not asked, or did not answer in time. */
  (
    | { kind: 'walled'; wall: Wall; lease?: LeaseAnswer | null }
    | { kind: 'near-limit'; why: string; wall: Wall | null }
    /** The session is at rest, and its account is being drained or is no longer configured. */
    | { kind: 'leaving'; why: string }
    | { kind: 'login'; text: string }
    | { kind: 'context'; text: string }
    | { kind: 'config'; text: string }
    /** The turn failed for a reason that passes by itself; the agent gave up retrying. */
    | { kind: 'transient'; text: string }
    /** A hook of the user's ended the turn after a tool was called. */
    | { kind: 'turn-stopped'; text: string }
    | { kind: 'exited'; how: string; byPerson: boolean }
    | { kind: 'gone'; what: 'pane' | 'tmux' }
    | { kind: 'frozen'; how: Hang }
    /** `digest` identifies the question, if its choices could be read. `isPermission`: it asks whether it may do something. */
    | { kind: 'waiting'; what: string; digest?: string | null; isPermission?: boolean }
    | { kind: 'not-waiting' }
    /** Only if requested with `untilTurnEnd`. */
    | { kind: 'turn-ended' }
    /** A failback was requested, the session is at rest, and no person is typing. */
    | { kind: 'ready-for-failback' }
    /** A turn has ended, and the budget of the substrate is spent. */
    | { kind: 'spent'; wall: Wall }
    /** The substrate can't continue this session: the conversation is too long for it. */
    | { kind: 'unfit'; text: string }
    /** A turn succeeded again; only if requested with `failing`. */
    | { kind: 'answered' }
    /** The person began another conversation in the same pane (/clear, /resume). */
    | { kind: 'renamed'; sessionId: string; transcript: string | null; transcriptFrom: number }
    /** Another activity has stopped or moved the session on this host. */
    | { kind: 'released' }
    | { kind: 'rollover' }
  )

/** What the Temporal UI shows of a running watch. */
export interface WatchHeartbeat {
  phase: 'working' | 'idle' | 'waiting'
  waitingFor: string | null
  /** How many tasks run in the agent's background. */
  background: number
  /** The name of the account or substrate. */
  account: string
  windows: Window[]
}

export interface DeliverRequest extends SessionRef {
  messageId: string
  /** Null for a text that a person typed in the pane: the host keeps it under the id of the message. */
  text: string | null
  /** A command of the agent program, such as `/compact`. It is done when the agent is at rest again. */
  command?: boolean
  /** A person has asked to try again, even if it was typed as often as allowed. */
  isRetry?: boolean
  /** Type nothing if a person has prompted the agent after this point of the transcript, in bytes. */
  skipIfPromptedAfter?: number
}

export interface NoticeRequest {
  notice: Notice
  /** Names of the channels that have not accepted it yet. */
  channels: string[]
}

export interface NoticeOutcome {
  /** Channels that did not accept it, and why, without their addresses. */
  failed: { channel: string; why: string }[]
}

export interface QueueWakeUpRequest extends SessionRef {
  plan: PlannedWakeUp['id']
}

export interface AnswerRequest extends SessionRef {
  /** The same for each attempt to give one answer. */
  answerId: string
  /** Identifies the question; no other one is answered. */
  digest: string
  /** Numbers of choices, or text. */
  answer: string
}

export type AnswerResult =
  | { kind: 'answered' }
  /** No question is open, or another one. */
  | { kind: 'gone' }
  /** The question does not accept such an answer. */
  | { kind: 'refused'; why: string }
  /** Keys were pressed, and the question is still open. */
  | { kind: 'unsure'; why: string }

/** An agent whose request hangs, or that a signal has stopped. */
export interface InterruptRequest extends SessionRef {
  how: Exclude<Hang, 'spinning'>
}

export interface HostActivities {
  launchAgent(request: LaunchRequest): Promise<LaunchResult>
  stopAgent(request: StopRequest): Promise<StopResult>
  interruptAgent(request: InterruptRequest): Promise<void>
  watchAgent(request: WatchRequest): Promise<SessionObservation>
  /** An account has room for the session: its watch ends as soon as it is at rest. Durable on the host, for this fence. */
  requestFailback(ref: SessionRef): Promise<void>
  /** Returns once the agent has taken the text. */
  deliverText(request: DeliverRequest): Promise<void>
  /**
   * Waits until the agent is at rest. Returns the name of the text that the host keeps for delivery, or null if the agent
   * program carries the wake-up out itself, or if the agent has changed its plan.
   */
  queuePlannedWakeUp(request: QueueWakeUpRequest): Promise<string | null>
  answerQuestion(request: AnswerRequest): Promise<AnswerResult>
  /** For events that no other step can take along soon. */
  recordEvents(request: Required<CarriedEvents>): Promise<void>
  /** The host's stored readings of its accounts and substrates; nothing is probed. */
  readAccounts(): Promise<AccountReading[]>
  /** Tries each channel once. */
  sendNotice(request: NoticeRequest): Promise<NoticeOutcome>
  /** Asks the agent program; spends no budget. */
  probeAccount(request: { account: string }): Promise<AccountReading>
}

/** What a drill needs. */
export interface DrillSetup {
  /** The folder in which the drill's session works. */
  cwd: string
  /** Names of the pool's substrates, in their order. */
  fallbacks: string[]
}

export interface DrillWatchRequest {
  session: string
  agent: string
  stage: DrillStage
  /** Answers before this instant belong to another stage. */
  since: string
  until: string
}

export interface DrillWatchResult {
  reached: boolean
  /** The last observation. */
  observation: DrillObservation
}

export interface DrillActivities {
  /** Throws SharedDomain. */
  prepareDrill(): Promise<DrillSetup>
  /** Returns when the session has reached the stage, or when the time is over. */
  watchDrill(request: DrillWatchRequest): Promise<DrillWatchResult>
  /** Returns the path of the report. */
  writeDrillReport(report: DrillReport): Promise<string>
}

export interface CommonActivities {
  /** Names of the sessions whose workflow runs, of all hosts or of one. The pool revokes the leases of all others. */
  listRunningSessions(request: { pool: string; host?: string }): Promise<string[]>
}
