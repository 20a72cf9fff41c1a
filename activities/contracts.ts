/** Shapes of the host-bound activities: what a workflow may ask of a host, and what it gets back. */
import type { AccountReading, Wall, Window } from '../policy/account/account.js'
import type { DrillReport, DrillObservation, DrillStage } from '../policy/independence/drill.js'
import type { Hang } from '../policy/session/hang.js'
import type { LeaseAnswer, PreparedLeaseRequest } from '../policy/pool/lease.js'
import type { Notice } from '../policy/notices/notice.js'
import type { PlaceRef } from '../policy/session/place.js'
import type { RescueStep } from '../policy/session/session.js'

export type { PlaceRef }

/** Which process of which session: every host-bound step carries it, and a host refuses an older fence. */
export interface SessionRef {
  session: string
  /** The conversation that is written there: the session's own, or on a substrate its fork. */
  sessionId: string
  fence: number
  agent: string
  cwd: string
  place: PlaceRef
}

export interface LaunchRequest extends SessionRef {
  model: string | null
  /** Stopped first: the process before, where its turn is known to be cut off. */
  stop?: StopRequest
  /** Whether the session was up before. A conversation of which anything is known is never begun again, whatever this says. */
  mode: 'new' | 'resume'
  /** On a substrate: the session's own conversation, from which the fork begins where it does not exist yet. */
  forkOf?: string | null
  /** Forks of which this conversation may not know yet, oldest first: what they did is handed over with its next prompt. */
  forks?: string[]
  /** Which conversation the session wrote last, and where: it goes on from there, whatever the configuration names now. */
  lastWritten?: { sessionId: string; transcript: string } | null
  /** Submitted at once, from a file of the host or as it stands; where the conversation already holds `text`, `otherwise` instead. */
  prompt: { text: string | { file: string }; otherwise: string | null } | null
  /** A page that a person has to answer may stand: the session has done no work yet, and no other account can take it. */
  allowOpenPage?: boolean
  /** Shown in the status bar of the session's tmux. */
  status: string
}

export interface LaunchResult {
  pane: string
  pid: number
  tmuxSocket: string
  transcript: string | null
  /** Bytes that stood in the transcript before this process: evidence before that point is another process's. */
  transcriptFrom: number
  /** Whether the agent is known to have taken the prompt. */
  promptTaken: boolean
  /** Why a hook of the user's refused the prompt, which is not submitted again; absent if none did. */
  promptRefused?: string
  /** Those of `forks` of which nothing has to be handed over any more. */
  settledForks: string[]
  /** Names of the texts that a person typed to an earlier process and that no agent has taken, in order. They stay on the host. */
  pendingInput: string[]
  /** Wake-ups that earlier processes planned and no process will say by itself. What is to be said stays on the host. */
  plans: PlannedWakeUp[]
  steps: RescueStep[]
}

export interface PlannedWakeUp {
  id: string
  at: string
}

export interface StopRequest extends SessionRef {
  /** Close the pane too: the session is over. */
  closePane: boolean
  /** Nothing follows for now: where a herd is being moved, the next session may be. */
  endsMove?: boolean
  status: string
}

export interface StopResult {
  steps: RescueStep[]
  /** Whether a turn was cut off. */
  wasWorking: boolean
}

export interface WatchRequest extends SessionRef {
  model: string | null
  /** Evidence before this point of the transcript is another process's, or already known. */
  transcriptFrom: number
  /** A planned move found no better place: do not ask again before this instant. */
  stayUntil: string | null
  /** What the session is known to wait for: only a change is news. It ends with the dialog, or with the next turn. */
  waiting: { what: string; endsWith: 'dialog' | 'turn'; digest?: string | null } | null
  /** The end of a turn that was answered is news too: the session is there for one piece of work. */
  untilTurnEnd: boolean
  /** Its turns keep failing, and a person was told: the first answer is news. */
  failing?: boolean
  /** What to ask its pool for as soon as its account is walled. */
  leaseRequest?: { pool: string; request: PreparedLeaseRequest }
  status: string
}

/** What a watch saw. The readings of the host's accounts come along, so that a lease needs no further step. */
export type SessionObservation = {
  readings: AccountReading[]
  at: string
  /** How far the transcript was read: where the next watch of this process starts. */
  transcriptTo: number
  /** Where the conversation lies, if that could be seen: a launch without a prompt is up before anything is written. */
  transcript?: string | null
  /** Whether a turn was running, as far as can be known. */
  wasWorking: boolean
} &
  /** `lease`: what the pool said at once; null or not there where it was not asked, or did not answer in time. */
  (
    | { kind: 'walled'; wall: Wall; lease?: LeaseAnswer | null }
    | { kind: 'near-limit'; why: string; wall: Wall | null }
    | { kind: 'login'; text: string }
    | { kind: 'context'; text: string }
    | { kind: 'config'; text: string }
    /** The turn failed on something that passes by itself; the agent gave up retrying. */
    | { kind: 'transient'; text: string }
    | { kind: 'exited'; how: string; byPerson: boolean }
    | { kind: 'gone'; what: 'pane' | 'tmux' }
    | { kind: 'frozen'; how: Hang }
    /** `digest` tells the question from every other one, where its choices can be read. */
    | { kind: 'waiting'; what: string; digest?: string | null }
    | { kind: 'not-waiting' }
    /** Only where the watch was asked to stand until then. */
    | { kind: 'turn-ended' }
    /** Only of a session that was called home: it is at rest, and nobody is typing. */
    | { kind: 'ready-for-failback' }
    /** A turn has ended, and what its substrate may cost is spent. */
    | { kind: 'spent'; wall: Wall }
    /** The substrate will not do for this very session: its conversation is too long there. */
    | { kind: 'unfit'; text: string }
    /** A turn succeeded again. */
    | { kind: 'answered' }
    /** The person began another conversation in the same pane (/clear, /resume). */
    | { kind: 'renamed'; sessionId: string; transcript: string | null; transcriptFrom: number }
    /** Another step took the session over on this host. */
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
  /** Null for a text that a person typed in the pane: the host has it under this id. */
  text: string | null
  /** A command of the agent program's own, such as `/compact`: over when the agent is at rest again. */
  command?: boolean
  /** A person wants it tried again, however often it was typed. */
  isRetry?: boolean
  /** Nothing is typed where a person has said anything after this point of the transcript, in bytes. */
  skipIfPromptedAfter?: number
}

export interface NoticeRequest {
  notice: Notice
  /** Names of the channels that have not taken it. */
  channels: string[]
}

export interface NoticeOutcome {
  /** Channels that did not take it, and why: without their addresses. */
  failed: { channel: string; why: string }[]
}

export interface QueueWakeUpRequest extends SessionRef {
  plan: PlannedWakeUp['id']
}

export interface AnswerRequest extends SessionRef {
  /** The same for each attempt to give one answer. */
  answerId: string
  /** The only question that it is for. */
  digest: string
  /** Numbers of choices, or words. */
  answer: string
}

export type AnswerResult =
  | { kind: 'answered' }
  /** No question stands, or another one. */
  | { kind: 'gone' }
  /** The question does not take such an answer. */
  | { kind: 'refused'; why: string }
  /** Keys were pressed, and the question still stands. */
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
  /** There is room at home for the session: its watch ends as soon as it is at rest. Durable on the host, for this fence. */
  requestFailback(ref: SessionRef): Promise<void>
  /** Returns once the agent has taken the text. */
  deliverText(request: DeliverRequest): Promise<void>
  /**
   * Waits until the agent is at rest. Answers the name under which the wake-up waits on this host to be delivered, or null
   * where the agent's program has said it or will, or where the agent planned otherwise since.
   */
  queuePlannedWakeUp(request: QueueWakeUpRequest): Promise<string | null>
  answerQuestion(request: AnswerRequest): Promise<AnswerResult>
  /** What this host knows of its accounts and substrates, without asking anybody. */
  readAccounts(): Promise<AccountReading[]>
  /** Tries each channel once. */
  sendNotice(request: NoticeRequest): Promise<NoticeOutcome>
  /** Asks the agent program; spends no budget. */
  probeAccount(request: { account: string }): Promise<AccountReading>
}

/** What a drill stands on. */
export interface DrillSetup {
  /** A folder of its own to work in. */
  cwd: string
  /** Substrates of the pool, in their order. */
  fallbacks: string[]
}

export interface DrillWatchRequest {
  session: string
  agent: string
  stage: DrillStage
  /** Answers before this instant are another step's. */
  since: string
  until: string
}

export interface DrillWatchResult {
  reached: boolean
  /** The last look. */
  observation: DrillObservation
}

export interface DrillActivities {
  /** Throws SharedDomain. */
  prepareDrill(): Promise<DrillSetup>
  /** Returns when the session has come to the stage, or when the time is over. */
  watchDrill(request: DrillWatchRequest): Promise<DrillWatchResult>
  /** Answers the file. */
  writeDrillReport(report: DrillReport): Promise<string>
}

export interface CommonActivities {
  /** Names of the sessions whose workflow runs: leases of others are taken back. */
  listRunningSessions(request: { pool: string }): Promise<string[]>
}
