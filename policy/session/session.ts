/**
 * The record of a session. The message that starts a session, the state of its workflow, its memo in the engine and the JSON of
 * `outpool ls` and `outpool show` all derive from the shapes here. Unknown values are null.
 */
import type { Wall } from '../account/account.js'

export const phases = [
  'starting',
  'working',
  'idle',
  'waiting',
  'rescuing',
  'parked',
  'paused',
  'stopped',
] as const
export type Phase = (typeof phases)[number]

export const rescueCauses = ['wall', 'near-limit', 'login', 'crash', 'move', 'home', 'wake'] as const
export type RescueCause = (typeof rescueCauses)[number]

/** What identifies a session, from its start on. */
interface SessionIdentity {
  name: string
  agent: string
  /** The session's own conversation. */
  sessionId: string
  cwd: string
  host: string
}

/** Where a session may run. */
export interface SessionPreferences {
  /** Models in order: the same one on another account comes before the next. Empty: the agent's default. */
  models: string[]
  /** Substrates that will do if no account is able, in order; null: all that are configured. */
  fallback: string[] | null
  /** Lower numbers get a place first. */
  priority: number
}

/** What is asked for when a session is started. */
export interface SessionSpec extends SessionIdentity, Pick<SessionPreferences, 'priority'> {
  /** Null: the agent's default, or the first of `models`. */
  model: string | null
  /** Default: `model` only. */
  models?: SessionPreferences['models']
  /** Default: null. */
  fallback?: SessionPreferences['fallback']
  /** Forks of an earlier run of this conversation, of which it may not know yet. Default: none. */
  forks?: string[]
  /** First choice; null leaves it to the pool. */
  account: string | null
  /** Only `account` will do: the session waits for it. */
  pinned: boolean
}

/** What changes while a session lives. */
export interface SessionProgress {
  phase: Phase
  pane: string | null
  /** Moves whose cause was a wall. */
  rescues: number
  walledUntil: string | null
  parkedUntil: string | null
  /** One sentence that says what a person should do, or null. */
  attention: string | null
  /** Why it is on its place: what spoke for it, and what against the one asked for. While parked: what it waits for. */
  why: string | null
  tmuxSocket: string | null
  /** The agent's own process, not a wrapper's. */
  pid: number | null
  /** The transcript that is being written: on a substrate the fork's. */
  transcript: string | null
  /** Since when it is on its account or substrate. */
  since: string | null
  startedAt: string
  rescueLog: RescueEntry[]
}

/** A row of `outpool ls --json`. */
export interface SessionView
  extends
    SessionIdentity,
    Pick<SessionProgress, 'phase' | 'pane' | 'rescues' | 'walledUntil' | 'parkedUntil' | 'attention'> {
  account: string | null
  substrate: string | null
  /** The model that it runs with; null is the agent's default. */
  model: string | null
}

/** A row of the tables for people. */
export interface SessionRow extends SessionView, Partial<Pick<SessionDetails, 'nextWakeUp'>> {
  /** Tasks that run in the background while it is at rest. */
  background?: number
  /** Only while its host is silent: when that was last heard of, or null if it never was. */
  silentSince?: string | null
}

export interface RescueStep {
  name: string
  ms: number
  /** Why the step failed, if it did. */
  fault?: string
}

export interface RescueEntry {
  n: number
  cause: RescueCause
  /** Set if a person ordered it. */
  byPerson?: boolean
  from: string | null
  /** Null if it ended parked. */
  to: string | null
  wall: Pick<Wall, 'kind' | 'scope' | 'resetsAt' | 'evidence'> | null
  startedAt: string
  endedAt: string | null
  steps: RescueStep[]
  /** The outcome in a few words, such as why this account was chosen. */
  result: string | null
}

/** What `outpool show --json` prints. */
export interface SessionDetails extends SessionView, SessionProgress, SessionPreferences {
  /** The fork's conversation while the session is on a substrate, or null. */
  fork: string | null
  /** Forks of earlier stays of which its own conversation may not know yet, oldest first. */
  untoldForks: string[]
  /** The account that it waits for, whatever else is able; null if any will do. */
  pinnedTo: string | null
  /** When a wake-up comes that an earlier process of it had planned, or null. */
  nextWakeUp?: string | null
}

/** The key of a session's memo, a SessionMemo. The engine keeps it for closed sessions too. */
export const sessionMemo = 'session'
/** The memo of a session: what `ls` reads without a query to its workflow. */
export type SessionMemo = Omit<SessionDetails, 'rescueLog'>

/** The memo of a session that has just been started. */
export function newMemo(spec: SessionSpec, startedAt: string): SessionMemo {
  const { name, agent, sessionId, cwd, host, model, models, fallback, forks, account, pinned, priority } =
    spec
  return {
    ...{ name, phase: 'starting', account: null, substrate: null, agent, sessionId, cwd, host, pane: null },
    ...{ model, rescues: 0, walledUntil: null, parkedUntil: null, attention: null, why: null },
    ...{ tmuxSocket: null, pid: null, transcript: null, fork: null, untoldForks: forks ?? [], since: null },
    ...{ models: models ?? (model === null ? [] : [model]), fallback: fallback ?? null, priority },
    ...{ pinnedTo: pinned ? account : null, nextWakeUp: null, startedAt },
  }
}
