/**
 * The messages of each workflow kind: name, arguments and result of each message in one value, so that a wrong name or payload
 * does not compile. Holds no Temporal code, so that the command line can import it without loading the engine's libraries.
 */
import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common'
import type { Timing, Wall } from '../policy/account/account.js'
import type { HostReport } from '../policy/notices/hostReport.js'
import type { Announcement } from '../policy/notices/notice.js'
import type {
  HeldLease,
  LeaseAnswer,
  LeaseGrant,
  LeaseDenial,
  LeaseRelease,
  LeaseRequest,
  LeaseBatch,
  PoolSettings,
  PoolView,
  SimulatedWall,
} from '../policy/pool/lease.js'
import type { ServiceSpec, ServiceView, Verdict } from '../policy/service/service.js'
import type { Adoption } from '../policy/session/adoption.js'
import type { RescueCause, SessionDetails, SessionSpec } from '../policy/session/session.js'
import type { IneligibleCause } from '../policy/account/eligibility.js'
import type { TaskRun } from '../policy/tasks/tasks.js'

const signal = <Args extends unknown[] = []>(name: string) =>
  ({ type: 'signal', name }) as SignalDefinition<Args>
const query = <Answer, Args extends unknown[] = []>(name: string) =>
  ({ type: 'query', name }) as QueryDefinition<Answer, Args>
const update = <Answer, Args extends unknown[] = []>(name: string) =>
  ({ type: 'update', name }) as UpdateDefinition<Answer, Args>

export const sessionSignals = {
  /** A text for the agent, delivered exactly once, in order. */
  send: signal<[SendArgs]>('send'),
  /** Move at once, to a named account or to the best one. */
  move: signal<[MoveArgs]>('move'),
  pause: signal('pause'),
  resume: signal('resume'),
  stop: signal('stop'),
  /** End the session, and leave its process to a person. Only on an account. */
  release: signal('release'),
  /** From the pool. */
  leaseGranted: signal<[LeaseGrant]>('leaseGranted'),
  /** From the pool: no place is able now; the request stays on the waitlist. */
  leaseDenied: signal<[LeaseDenial]>('leaseDenied'),
  /** From the pool, to a session on a fallback: an account has room for it. It moves at the end of its turn. */
  failback: signal('failback'),
  /** From its host: a blocker is gone, so that the next try may succeed. */
  hostReady: signal('hostReady'),
  /** From the pool: since when the worker of its host has not been heard of; null once it is heard of again. */
  hostSilent: signal<[string | null]>('hostSilent'),
  /** The timing as configured; sent when it has changed. */
  configure: signal<[Timing]>('configure'),
  /** Continue as new at the next quiet moment, to run the newest code. */
  migrate: signal('migrate'),
} as const

export const sessionUpdates = {
  /** A person's answer to the question that the agent asks. */
  answer: update<AnswerResult, [AnswerArgs]>('answer'),
} as const

export const sessionQueries = {
  describe: query<SessionDetails>('describe'),
  /** For the text with this id. */
  deliveryState: query<DeliveryState, [DeliveryQuery]>('deliveryState'),
  /** The texts that the agent has not taken yet. */
  backlog: query<Backlog>('backlog'),
} as const

/** Of every workflow that hands its state to a next run. */
export const stateQueries = {
  /** What it would hand over now; also asked of a run that was terminated, so that another can go on with it. */
  carriedOver: query<{ state: unknown }>('carriedOver'),
} as const

export const poolSignals = {
  /** Accounts and timing as configured; sent at every worker start. */
  configure: signal<[PoolSettings]>('configure'),
  requestLease: signal<[LeaseRequest]>('requestLease'),
  releaseLease: signal<[LeaseRelease]>('releaseLease'),
  /** From a session that was started again after its workflow was ended at the engine: the lease that it has. */
  confirmLease: signal<[HeldLease]>('confirmLease'),
  /** Notify a person through the configured channels, once for each key. */
  announce: signal<[Announcement]>('announce'),
  /** From the worker of a host, whenever it changes. */
  reportHost: signal<[HostReport]>('reportHost'),
  /** Every account counts as walled for one session, until the wall's time is over or it is lifted. */
  simulateWall: signal<[SimulatedWall]>('simulateWall'),
  /** The name of the session whose simulated wall ends. */
  liftWall: signal<[string]>('liftWall'),
  migrate: signal('migrate'),
} as const

export const poolUpdates = {
  /** From a host, for its walled sessions. The answer is null for a request that came too late. */
  requestLeases: update<(LeaseAnswer | null)[], [LeaseBatch]>('requestLeases'),
  /** From a person's command. Accounts with old readings are probed first. */
  checkEligibility: update<AccountEligibility[], [EligibilityQuery]>('checkEligibility'),
} as const

export const poolQueries = {
  describe: query<PoolView>('describe'),
} as const

export const watchdogSignals = {
  /** As configured; sent at every worker start. */
  configure: signal<[ServiceSpec]>('configure'),
  /** Only observe the service. */
  pause: signal('pause'),
  resume: signal('resume'),
  /** A person asks to start the service again, whether or not it is well. */
  restart: signal('restart'),
  /** The service is no longer configured: end what was started of it, and the watchdog. */
  retire: signal('retire'),
  /** From the escalation. */
  escalationEnded: signal<[EscalationEnd]>('escalationEnded'),
  migrate: signal('migrate'),
} as const

export const watchdogQueries = {
  describe: query<WatchdogView>('describe'),
} as const

export const watchdogUpdates = {
  /** Checks the service now. */
  check: update<CheckResult>('check'),
} as const

export const escalationSignals = {
  stop: signal('stop'),
  /** Does nothing: the sender learns whether the escalation runs. */
  ping: signal('ping'),
  migrate: signal('migrate'),
} as const

export const escalationQueries = {
  describe: query<EscalationView>('describe'),
} as const

/** What the watchdog's workflow knows of its service. The newest observation is in a file of the host. */
export interface WatchdogView extends Omit<ServiceView, 'lastBeat' | 'nextCheckAt'> {
  host: string
  /** One sentence that says what a person should do, or null. */
  attention: string | null
}

/** The result of a check that a person asked for. */
export interface CheckResult {
  verdict: Verdict
  why: string
  service: ServiceView
}

/** The single input of an `escalation` workflow, as the watchdog makes it. */
export interface EscalationStart {
  service: string
  host: string
  pool: string
  incident: number
  /** The newest fence with which the service was started; the escalation's own are higher. */
  fence: number
  /** The pause before the next round, after every place failed and a person was notified; doubled with each round. */
  retryEvery: number
  /** No pause is longer. */
  retryMaxInterval: number
}

export interface EscalationEnd {
  incident: number
  outcome: 'recovered' | 'healed' | 'given-up'
  fence: number
}

export interface EscalationView {
  service: string
  incident: number
  /** Agents woken so far. */
  attempts: number
  /** The place where an agent works on it now, or null. */
  place: string | null
  attention: string | null
}

/** The result of an escalation, with the incident's report, without its quotes. */
export interface EscalationResult extends EscalationEnd {
  attempts: number
  report: string
}

/** The key of a watchdog's memo, a WatchdogView. */
export const watchdogMemo = 'service'

export interface SendArgs {
  /** Chosen by the sender; the same id twice is one text. */
  id: string
  text: string
  /** A command of the agent program, such as `/compact`, and not words for the model. */
  command?: boolean
  /** Sent by a task and not by a person: it counts for the breaker. */
  byTask?: boolean
}

export interface AnswerArgs {
  /** Numbers of choices, or words. */
  answer: string
  /** The digest of the question; null for the one that the session waits with. */
  digest: string | null
}

/** `why`: the reason if the question was not answered. */
export interface AnswerResult {
  result: 'answered' | 'gone' | 'refused' | 'unsure'
  why: string | null
}

export interface Backlog {
  texts: number
  characters: number
}

/** Whether accounts could take this session now. */
export interface EligibilityQuery {
  session: string
  model: string | null
  /** Null: all of the pool. */
  account: string | null
}

/** Why an account is ineligible for a session; null if it is eligible. */
export interface AccountEligibility {
  account: string
  cause: IneligibleCause | null
  why: string | null
  /** Set if the cause is a wall. */
  wall: Wall | null
}

/** The id of a text. */
export type DeliveryQuery = SendArgs['id']

/** `problem`: why the text waits for a person or was refused, or null. */
export interface DeliveryState {
  taken: boolean
  problem: string | null
}

export interface MoveArgs {
  /** Null: the best able account. */
  to: string | null
  cause: Extract<RescueCause, 'move' | 'wall'>
  /** With the cause `wall`: what the pool knows of it. Default: nothing. */
  wall?: Wall
  /** Set if a person ordered it. */
  byPerson?: boolean
  /** After a wall: the account may be chosen again as soon as it is able. Default: it is excluded for a while. */
  mayReturn?: boolean
}

/** A text, or a file of the session's host that is read when it is delivered: its content is in no history. */
export type Prompt = string | { file: string }

/** A text on its way to the agent. `text` is null if a person typed it in the pane: then the host keeps it under its id. */
export interface UndeliveredText {
  id: SendArgs['id']
  text: string | null
  command?: boolean | undefined
}

/** The result of a session's workflow. */
export interface SessionResult extends SessionDetails {
  /** Only of a session with `once`: whether its work is done. */
  workDone?: boolean
  /** Only of a released session. */
  released?: { tmuxSession: string | null; tmuxSocket: string; resume: string }
  /** What the agent has not taken: it is delivered when the session is resumed. */
  undelivered: { prompt: Prompt | null; texts: UndeliveredText[] }
}

/** The single input of a `session` workflow, as `outpool start` makes it. */
export interface SessionStart extends SessionSpec {
  pool: string
  prompt: Prompt | null
  /** Texts that an earlier run of this conversation did not deliver, oldest first. Default: none. */
  texts?: UndeliveredText[]
  /** Ends by itself when its work is done: a turn was answered, and no text waits. */
  once?: boolean
  /** Continue this conversation instead of beginning it. */
  continues: boolean
  /** Take over an agent or a conversation of a person first. */
  adoption?: Adoption
  timing: Timing
}

/** The single input of a `loop` workflow, one run of a task. The task itself is in the host's configuration. */
export interface LoopStart extends TaskRun {
  /** What an agent task's session is started with; null for other kinds. */
  session: (Pick<SessionStart, 'pool' | 'agent' | 'model' | 'timing'> & { timeout: number }) | null
}

/** The key of the memo of a task's run, a TaskRecord, which is set at the end of the run. */
export const taskMemo = 'task'
/** The type of the failure that a failed run ends in; its first detail is the TaskRecord. */
export const taskFailed = 'TaskFailed'
