/** What is known of an account. Instants are ISO 8601 in UTC; shares and uses are 0..1; durations are milliseconds. */

export type AccountRole = 'pool' | 'reserved' | 'substrate'

/** Where a reading of a window came from; kept so that a person can judge it. */
type ReadingSource = 'status-line' | 'usage-probe' | 'config-cache' | 'wall' | 'transcript'

/**
 * One budget of an account. `name` is the agent's own: `five_hour`, `seven_day`, or one scoped to a model such as
 * `seven_day_opus`; `budget` is what the owner allows a substrate to spend.
 */
export interface Window {
  name: string
  /** Used fraction, 0..1. */
  used: number
  /** When it resets, or null if the agent did not say. An upper bound: windows also reset early. */
  resetsAt: string | null
  /** The instant of the data, not of the moment at which it was read. */
  readAt: string
  source: ReadingSource
}

/** `account`, or `model:<name>` with the model family that the wall binds, such as `model:opus`. */
export type WallScope = 'account' | `model:${string}`

/** Proof that an account (or one model on it) refuses. */
export interface Wall {
  /** The agent's own claim name: `five_hour`, `seven_day`, `seven_day_opus`, `overage`, `spend`, `credit`, ..., `unknown`. */
  kind: string
  scope: WallScope
  resetsAt: string | null
  /** One line: the proof, and where it was found. Never a prompt or an answer. */
  evidence: string
  /** When the account refused. */
  at: string
}

export type Login = 'in' | 'out' | 'unknown'

/** What one host read of one account. Parts that the host does not know are absent or empty. */
export interface AccountReading {
  account: string
  windows: Window[]
  /** Walls that agents on this host met and whose end was not observed. */
  walls: Wall[]
  login: Login
  /** When `login` was observed. */
  loginAt: string | null
  /** The identity of the login (account uuid): two accounts with the same one are one account. */
  identity: string | null
  /** When the account was last probed, whether or not the probe succeeded. */
  probedAt: string | null
  /** Absent if no start on this host has met a page. */
  pages?: HostPages
}

/** A page that the agent program opens at its start, before it takes a text, and that only a person can answer. */
export interface OpenPage {
  /** The folder in which sessions meet it; null if every session of the account does. */
  cwd: string | null
  /** One line: which page. */
  what: string
  /** One line: what a person does about it. */
  remedy: string
  /** When a start met the page. */
  at: string
  /** No session is started under the account before this instant; then one tries again. */
  until: string
}

/** All pages that are open under one account on one host, as of `at`. */
export interface HostPages {
  host: string
  at: string
  open: OpenPage[]
}

/** An account of which nothing has been read. */
export const emptyReading = (account: string): AccountReading => ({
  account,
  windows: [],
  walls: [],
  login: 'unknown',
  loginAt: null,
  identity: null,
  probedAt: null,
})

/** An account as the configuration names it. Holds no path and no secret: those stay on the host. */
export interface AccountSpec {
  name: string
  role: AccountRole
  /** The share above which no session is placed here; 1 unless the owner keeps a part to themselves. */
  ceiling: number
  maxSessions: number | null
  /** It takes no new session, and those that are on it move at the end of their turns. Default: false. */
  drain?: boolean
  /** What runs on a substrate. Absent for an account, which runs what the session wants. */
  runs?: SubstrateProgram
}

/** Whether the owner has taken it out of use. */
export const isDisabled = ({ maxSessions, drain }: Pick<AccountSpec, 'maxSessions' | 'drain'>): boolean =>
  maxSessions === 0 || drain === true

interface SubstrateProgram {
  agent: string
  /** Null: the program's own default. */
  model: string | null
}

/** Everything the pool knows of an account. */
export interface AccountFacts extends AccountSpec {
  windows: Window[]
  walls: Wall[]
  login: Login
  loginAt: string | null
  identity: string | null
  probedAt: string | null
  /** Names of the sessions that hold a lease here. */
  leases: string[]
  /** The trial of an unproven account: its session, and since when. */
  trial: { session: string; since: string } | null
  /** Set when a launch failed because of the account: no new lease before this instant. */
  restUntil: string | null
  /** At most one entry for each host. Absent if no page was ever met. */
  pages?: HostPages[]
}

export type AccountState =
  | 'ready'
  | 'near-limit'
  | 'walled'
  | 'unproven'
  | 'logged-out'
  | 'duplicate'
  | 'disabled'

/** The timing a decision depends on, all in milliseconds. Defaults are those of `outpool.yaml`. */
export interface Timing {
  /** Routine probes of an idle account come at most this often. */
  probeEvery: number
  /** The pause after a reset before the account is probed: reset instants are rounded. */
  wakeMargin: number
  /** The first pause before something that failed is tried again. */
  retryEvery: number
  /** Between TERM and KILL. */
  stopGrace: number
  /** A launched agent has to be up within this time. */
  startWithin: number
  /** A request without any sign of life counts as hung after this time. */
  hungAfter: number
  /** A planned move waits until no key was pressed for this long. */
  keysQuiet: number
  /** A planned move waits for the agent's background tasks, but no longer than this. */
  backgroundWaitMax: number
  /** How often a worker samples its host. Most events are reported at once, without it. */
  pollEvery: number
  /** The longest pause before something that failed is tried again. */
  retryMaxInterval: number
  /** The longest rest of an agent that keeps crashing, or of an account on which starts keep failing. */
  failureBackoffMax: number
  /** Crashes within `crashWithin` after which an agent counts as unable to run as it is. */
  crashLimit: number
  crashWithin: number
  /** Turns that Outpool may begin in a session within `turnWithin`: beyond them the breaker parks the session. */
  turnLimit: number
  turnWithin: number
  /** The pause after the second crash of an agent; doubled with each further one. */
  crashBackoff: number
  /** The time between two admission waves on a nearly spent account. */
  admissionInterval: number
  /** A session does not ask again for an account on which it could not be started before this time has passed. */
  failedStartExclusion: number
  /** How long the place for a failback is reserved. */
  failbackReservation: number
  /** How long an account that opened a page is skipped, unless something changes there before. */
  startPageExclusion: number
  /** Sessions of one host that move at the same time. */
  maxConcurrentMoves: number
}

export const defaultTiming: Timing = {
  probeEvery: 5 * 60_000,
  wakeMargin: 10_000,
  retryEvery: 60_000,
  stopGrace: 10_000,
  startWithin: 60_000,
  hungAfter: 10 * 60_000,
  keysQuiet: 30_000,
  backgroundWaitMax: 30 * 60_000,
  pollEvery: 2_000,
  retryMaxInterval: 30 * 60_000,
  failureBackoffMax: 60 * 60_000,
  crashLimit: 5,
  crashWithin: 60 * 60_000,
  turnLimit: 10,
  turnWithin: 10 * 60_000,
  crashBackoff: 5_000,
  // On most machines a session has got an answer or met the wall by then. A reading that comes sooner counts at once.
  admissionInterval: 20_000,
  failedStartExclusion: 5 * 60_000,
  failbackReservation: 10 * 60_000,
  // A try costs a start and no budget, and most changes by a person are noticed at once.
  startPageExclusion: 30 * 60_000,
  // Enough to keep every core busy between the engine's steps; more would only make commands wait (docs/decisions/0014-five-hundred-sessions.md).
  maxConcurrentMoves: 12,
}

/** Fills in keys that a workflow does not know which began under an older version. */
export const withDefaults = (timing: Partial<Timing>): Timing => ({ ...defaultTiming, ...timing })
