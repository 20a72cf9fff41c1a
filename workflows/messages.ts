/**
 * The messages of each workflow kind: name, arguments and answer of each in one value, so that a wrong name or payload does not
 * compile. Holds no Temporal code, so that the command line can import it without loading the engine's libraries.
 */
import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common'
import type { Timing } from '../policy/account/account.js'
import type { Announcement } from '../policy/notices/notice.js'
import type {
  LeaseAnswer,
  LeaseGrant,
  LeaseDenial,
  LeaseRelease,
  LeaseRequest,
  LeaseBatch,
  PoolSettings,
  PoolView,
} from '../policy/pool/lease.js'
import type { SimulatedWall } from '../policy/pool/lease.js'
import type { ServiceSpec, ServiceView, Verdict } from '../policy/service/service.js'
import type { RescueCause, SessionDetails } from '../policy/session/session.js'
import type { IneligibleCause } from '../policy/account/eligibility.js'
import type { TaskRun } from '../policy/tasks/tasks.js'

export type {
  Announcement,
  LeaseAnswer,
  LeaseGrant,
  LeaseDenial,
  LeaseRelease,
  LeaseRequest,
  LeaseBatch,
  PoolSettings,
  PoolView,
}

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
  /** From the pool. */
  leaseGranted: signal<[LeaseGrant]>('leaseGranted'),
  /** From the pool: nothing is able now; the request stays in its queue. */
  leaseDenied: signal<[LeaseDenial]>('leaseDenied'),
  /** From the pool, to a session on a fallback: an account has room for it. It goes at its turn's end. */
  failback: signal('failback'),
  /** From its host: what kept the agent from being started has changed, so that trying again makes sense. */
  hostReady: signal('hostReady'),
  /** Continue-as-new at the next quiet moment, to pick up new code. */
  migrate: signal('migrate'),
} as const

export const sessionUpdates = {
  /** A person's answer to the question that the agent asks. */
  answer: update<AnswerResult, [AnswerArgs]>('answer'),
} as const

export const sessionQueries = {
  describe: query<SessionDetails>('describe'),
  /** Takes the id of a text. */
  deliveryState: query<DeliveryState, [DeliveryQuery]>('deliveryState'),
  /** The texts that the agent has not taken yet. */
  backlog: query<Backlog>('backlog'),
} as const

export const poolSignals = {
  /** Accounts and timing as configured; sent at every worker start. */
  configure: signal<[PoolSettings]>('configure'),
  requestLease: signal<[LeaseRequest]>('requestLease'),
  releaseLease: signal<[LeaseRelease]>('releaseLease'),
  /** Tell a person, once for each of its keys, on the channels that are configured. */
  announce: signal<[Announcement]>('announce'),
  /** Every account counts as walled for one session, until its time is over or it is lifted. */
  simulateWall: signal<[SimulatedWall]>('simulateWall'),
  /** The name of the session whose declaration is over. */
  liftWall: signal<[string]>('liftWall'),
  migrate: signal('migrate'),
} as const

export const poolUpdates = {
  /** From a host: what its walled sessions ask for. Null where an ask came too late. */
  requestLeases: update<(LeaseAnswer | null)[], [LeaseBatch]>('requestLeases'),
  /** From a person's command: asks the accounts first where their readings are old. */
  checkEligibility: update<AccountEligibility[], [EligibilityQuery]>('checkEligibility'),
} as const

export const poolQueries = {
  describe: query<PoolView>('describe'),
} as const

export const watchdogSignals = {
  /** As configured; sent at every worker start. */
  configure: signal<[ServiceSpec]>('configure'),
  /** Look on, and touch nothing. */
  pause: signal('pause'),
  resume: signal('resume'),
  /** The service is configured no more: end what was started of it, and the watchdog with it. */
  retire: signal('retire'),
  /** From the escalation. */
  escalationEnded: signal<[EscalationEnd]>('escalationEnded'),
  migrate: signal('migrate'),
} as const

export const watchdogQueries = {
  describe: query<WatchdogView>('describe'),
} as const

export const watchdogUpdates = {
  /** Looks now. */
  check: update<CheckResult>('check'),
} as const

export const escalationSignals = {
  stop: signal('stop'),
  /** Does nothing: the sender learns whether the escalation is there. */
  ping: signal('ping'),
  migrate: signal('migrate'),
} as const

export const escalationQueries = {
  describe: query<EscalationView>('describe'),
} as const

/** What the watchdog knows of its service by itself; what its host sees at each look lies on the host. */
export interface WatchdogView extends Omit<ServiceView, 'lastBeat' | 'nextCheckAt'> {
  host: string
  /** One sentence that says what a person should do, or null. */
  attention: string | null
}

/** What a look found that a person asked for. */
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
  /** Waited before the next round, after every place failed and a person was told; doubled with each. */
  retryEvery: number
  /** No pause is longer. */
  retryAtMost: number
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
  /** Where an agent works on it now, or null. */
  place: string | null
  attention: string | null
}

/** What comes of an escalation: the incident's report, without what was printed and said. */
export interface EscalationResult extends EscalationEnd {
  attempts: number
  report: string
}

/** The memo of a watchdog: its card. */
export const watchdogMemo = 'service'

export interface SendArgs {
  /** Chosen by the sender; the same id twice is one text. */
  id: string
  text: string
  /** A command of the agent program's own, such as `/compact`, and not words for the model. */
  command?: boolean
  /** Outpool's own task sends it, and not a person: it counts for the breaker. */
  byTask?: boolean
}

export interface AnswerArgs {
  /** Numbers of choices, or words. */
  answer: string
  /** The only question that it is for; null for the one that the session waits with. */
  digest: string | null
}

/** `why` where it was not answered. */
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

/** What keeps an account from taking a session; null where nothing does. */
export interface AccountEligibility {
  account: string
  cause: IneligibleCause | null
  why: string | null
}

/** The id of a text. */
export type DeliveryQuery = SendArgs['id']

/** `problem`: why it was not taken, where it waits for a person or was refused. */
export interface DeliveryState {
  taken: boolean
  problem: string | null
}

export interface MoveArgs {
  /** Null: the best able account. */
  to: string | null
  cause: Extract<RescueCause, 'move' | 'wall'>
  /** After a wall: the account may be taken again as soon as the pool finds it able. Default: it is left out for a while. */
  mayReturn?: boolean
}

/** A text, or a file of the session's host that is read when it is said: its content stands in no history. */
export type Prompt = string | { file: string }

/** A text on its way to the agent. Null for one that a person typed in the pane: it lies on the host, which knows it by its id. */
export interface UndeliveredText {
  id: SendArgs['id']
  text: string | null
  command?: boolean | undefined
}

/** The last word of a session. */
export interface SessionResult extends SessionDetails {
  /** Whether a session that was there for one piece of work did it. */
  workDone?: boolean
  /** What the agent has not taken: it is said when the session is resumed. */
  undelivered: { prompt: Prompt | null; texts: UndeliveredText[] }
}

/** The single input of a `session` workflow, as `outpool start` makes it. */
export interface SessionStart {
  name: string
  pool: string
  sessionId: string
  host: string
  agent: string
  cwd: string
  /** Null: the agent's default, or the first of `models`. */
  model: string | null
  /** Models in order: the same one on another account comes before the next. Default: `model` only. */
  models?: string[]
  /** Substrates that will do where no account is able, in order; empty: none. Default (null): all that are configured. */
  fallback?: string[] | null
  /** Forks of an earlier run of this conversation, of which it may not know yet. Default: none. */
  forks?: string[]
  /** First choice; null leaves it to the pool. */
  account: string | null
  /** Only `account` will do: the session waits for it. */
  pinned: boolean
  /** Lower numbers go first where not all can be served. */
  priority: number
  prompt: Prompt | null
  /** Texts that an earlier run of this conversation did not get to say, oldest first. Default: none. */
  texts?: UndeliveredText[]
  /** Ends by itself when its work is done: a turn was answered, and nothing waits to be said. */
  once?: boolean
  /** Continue this conversation instead of beginning it. */
  continues: boolean
  timing: Timing
}

/** The single input of a `loop` workflow, one run of a task. What is to be done stands in the host's own configuration. */
export interface LoopStart extends TaskRun {
  /** What an agent task's session is started with; null for other kinds. */
  session: (Pick<SessionStart, 'pool' | 'agent' | 'model' | 'timing'> & { timeout: number }) | null
}

/** The memo of a task's run: TaskRecord, once it has ended. */
export const taskMemo = 'task'
/** The type of the failure that a failed run ends in; its first detail is the TaskRecord. */
export const taskFailed = 'TaskFailed'

/** The memo of a session: what `ls` reads without waking anybody. The engine keeps it for closed sessions too. */
export const sessionMemo = 'session'
export type { SessionDetails }
