/**
 * The messages of each workflow kind: names, arguments and answers, in one place. Holds no Temporal code,
 * so that the command line can import it without loading the engine's libraries.
 */
import type { Timing } from '../policy/account.js'
import type { RescueCause, SessionDetails } from '../policy/session.js'

export type { Announcement } from '../policy/notices.js'
export type {
  LeaseGrant,
  LeaseRefusal,
  LeaseRelease,
  LeaseRequest,
  PoolSettings,
  PoolView,
} from '../policy/lease.js'

export const sessionSignals = {
  /** SendArgs: a text for the agent, delivered exactly once, in order. */
  send: 'send',
  /** MoveArgs: move at once, to a named account or to the best one. */
  move: 'move',
  pause: 'pause',
  resume: 'resume',
  stop: 'stop',
  /** LeaseGrant, from the pool. */
  leaseGranted: 'leaseGranted',
  /** LeaseRefusal, from the pool: nothing is able now; the request stays in its queue. */
  leaseRefused: 'leaseRefused',
  /** Continue-as-new at the next quiet moment, to pick up new code. */
  migrate: 'migrate',
} as const

export const sessionQueries = {
  /** Answers SessionDetails. */
  describe: 'describe',
  /** Takes the id of a text; answers true once the agent has taken it. */
  delivered: 'delivered',
} as const

export const poolSignals = {
  /** PoolSettings: accounts and timing as configured; sent at every worker start. */
  configure: 'configure',
  requestLease: 'requestLease',
  /** LeaseRelease */
  releaseLease: 'releaseLease',
  /** Announcement: tell a person, once for each of its keys, on the channels that are configured. */
  announce: 'announce',
  migrate: 'migrate',
} as const

export const poolQueries = {
  /** Answers PoolView. */
  describe: 'describe',
} as const

export interface SendArgs {
  /** Chosen by the sender; the same id twice is one text. */
  id: string
  text: string
}

/** The id of a text; the answer is whether the agent has taken it, a boolean. */
export type DeliveryQuery = SendArgs['id']

export interface MoveArgs {
  /** Null: the best able account. */
  to: string | null
  cause: Extract<RescueCause, 'move' | 'wall'>
}

/** A text, or a file of the session's host that is read when it is said: its content stands in no history. */
export type Prompt = string | { file: string }

/** The single input of a `session` workflow, as `outpool start` makes it. */
export interface SessionStart {
  name: string
  pool: string
  sessionId: string
  host: string
  agent: string
  cwd: string
  model: string | null
  /** First choice; null leaves it to the pool. */
  account: string | null
  /** Only `account` will do: the session waits for it. */
  pinned: boolean
  /** Lower numbers go first where not all can be served. */
  priority: number
  prompt: Prompt | null
  /** Ends by itself when its work is done: a turn was answered, and nothing waits to be said. */
  once?: boolean
  /** Continue this conversation instead of beginning it. */
  continues: boolean
  timing: Timing
}

/** The memo of a session: what `ls` reads without waking anybody. The engine keeps it for closed sessions too. */
export const sessionMemo = 'session'
export type { SessionDetails }
