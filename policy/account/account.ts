/** What is known of an account. Instants are ISO 8601 in UTC; shares and uses are 0..1; durations are milliseconds. */

export type AccountRole = 'pool' | 'reserved' | 'substrate'

/** Where a reading of a window came from; kept so that a person can judge it. */
type ReadingSource = 'status-line' | 'usage-probe' | 'config-cache' | 'wall' | 'transcript'

/**
 * One budget of an account. `name` is the agent's own: `five_hour`, `seven_day`, or one scoped to a model such as
 * `seven_day_opus`; `budget` is what the owner allows a substrate to cost.
 */
export interface Window {
  name: string
  /** Used fraction, 0..1. */
  used: number
  /** When it starts anew, or null where the agent did not say. An upper bound: windows also reset early. */
  resetsAt: string | null
  /** The instant of the data, not of the moment we looked at it. */
  readAt: string
  source: ReadingSource
}

/** `account`, or `model:<name>` with the model family the wall stands for, such as `model:opus`. */
export type WallScope = 'account' | `model:${string}`

/** Proof that an account (or one model on it) refuses. */
export interface Wall {
  /** The agent's own claim name: `five_hour`, `seven_day`, `seven_day_opus`, `overage`, `spend`, `credit`, ..., `unknown`. */
  kind: string
  scope: WallScope
  resetsAt: string | null
  /** One line: what proved it, and where it stands. Never a prompt or an answer. */
  evidence: string
  /** When the account refused. */
  at: string
}

export type Login = 'in' | 'out' | 'unknown'

/** What one host read of one account. Parts that the host does not know are absent or empty. */
export interface AccountReading {
  account: string
  windows: Window[]
  /** Walls that agents on this host met and that have not been seen to end. */
  walls: Wall[]
  login: Login
  /** When `login` was seen. */
  loginAt: string | null
  /** The login's own identity (account uuid); two accounts with one identity are one account. */
  identity: string | null
  /** When a probe last asked, whether or not it got an answer. */
  probedAt: string | null
  /** Not there where no start on this host has met one. */
  pages?: HostPages
}

/** A page that the agent program opens at its start, before it takes a text, and that only a person can answer. */
export interface OpenPage {
  /** The folder in which sessions meet it; null where every session of the account does. */
  cwd: string | null
  /** One line: which page. */
  what: string
  /** One line: what a person does about it. */
  remedy: string
  /** When a start met it. */
  at: string
  /** Until then no session is started into it; then one tries again. */
  until: string
}

/** All pages that stand under one account on one host, as of `at`. */
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
  /** What runs on a substrate; not there on an account, which runs what the session wants. */
  runs?: SubstrateProgram
}

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
  /** The session that is trying this account out while nothing is known of it, and since when. */
  trial: { session: string; since: string } | null
  /** Set when a launch here failed for a reason of the account's own: no new lease before this instant. */
  restUntil: string | null
  /** At most one for each host. Not there where none was ever met. */
  pages?: HostPages[]
}

export type AccountState =
  'ready' | 'near-limit' | 'walled' | 'unproven' | 'logged-out' | 'duplicate' | 'disabled'

/** The timing a decision depends on, all in milliseconds. Defaults are those of `outpool.yaml`. */
export interface Timing {
  /** Routine probes of an idle account come at most this often. */
  probeEvery: number
  /** Waited past a reset before the account is asked again: reset instants are rounded. */
  wakeMargin: number
  /** How often something that could not go on is tried again. */
  retryEvery: number
  /** Between TERM and KILL. */
  stopGrace: number
  /** A launched agent has to be up within this. */
  startWithin: number
  /** A busy request without any sign of life counts as hung after this. */
  hungAfter: number
  /** A planned move waits until nobody has typed for this long. */
  keysQuiet: number
  /** A planned move waits for what runs in the agent's background, no longer than this. */
  backgroundWait: number
  /** How often a worker looks at its host; what happens is mostly reported at once. */
  lookEvery: number
  /** However often something could not go on, it is tried again after this. */
  retryAtMost: number
  /** An agent that keeps crashing, and an account on which starts keep failing, rest no longer than this. */
  restAtMost: number
  /** Crashes within `crashWithin` after which an agent is held to be unable to run as it is. */
  crashLimit: number
  crashWithin: number
  /** Turns that Outpool itself begins in a session within `turnWithin`, after which the session is parked for a person. */
  turnLimit: number
  turnWithin: number
  /** Before an agent that crashed a second time is started again; doubled with each crash. */
  crashPause: number
  /** A herd goes up on an account that is nearly spent in waves, one this long after the other. */
  waveEvery: number
  /** An account on which a session could not be started is left out by that session for so long. */
  leftOutFor: number
  /** A session that is called home has its place there kept for so long. */
  placeKept: number
  /** An account that opened a page is passed over for so long, unless something changes there before. */
  pageStands: number
  /** Sessions of one host that are being moved at a time. */
  movesAtOnce: number
}

export const defaultTiming: Timing = {
  probeEvery: 5 * 60_000,
  wakeMargin: 10_000,
  retryEvery: 60_000,
  stopGrace: 10_000,
  startWithin: 60_000,
  hungAfter: 10 * 60_000,
  keysQuiet: 30_000,
  backgroundWait: 30 * 60_000,
  lookEvery: 2_000,
  retryAtMost: 30 * 60_000,
  restAtMost: 60 * 60_000,
  crashLimit: 5,
  crashWithin: 60 * 60_000,
  turnLimit: 10,
  turnWithin: 10 * 60_000,
  crashPause: 5_000,
  // By then a session has been up and had an answer, or met the wall, on most machines. What is read sooner counts sooner.
  waveEvery: 20_000,
  leftOutFor: 5 * 60_000,
  placeKept: 10 * 60_000,
  // A try costs a start and no budget; what a person changes is mostly seen at once.
  pageStands: 30 * 60_000,
  // Enough to keep every core busy between the engine's steps; more only makes commands wait (docs/decisions/0014-five-hundred-sessions.md).
  movesAtOnce: 12,
}

/** Workflows that began under an older version know fewer keys. */
export const withDefaults = (timing: Partial<Timing>): Timing => ({ ...defaultTiming, ...timing })
