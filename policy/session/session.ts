/** What the outside sees of a session. The shapes are those that `outpool ls --json` and `show --json` print. */
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

export type RescueCause = 'wall' | 'near-limit' | 'login' | 'crash' | 'move' | 'home' | 'wake'

/** A row of `outpool ls --json`. Unknown values are null. */
export interface SessionView {
  name: string
  phase: Phase
  account: string | null
  substrate: string | null
  agent: string
  sessionId: string
  cwd: string
  host: string
  pane: string | null
  model: string | null
  /** Moves whose cause was a wall. */
  rescues: number
  walledUntil: string | null
  parkedUntil: string | null
  /** One sentence that says what a person should do, or null. */
  attention: string | null
}

/** A row of the tables for people. */
export interface SessionRow extends SessionView {
  /** Tasks that run in the background while it is at rest. */
  background?: number
  nextWakeUp?: string | null
}

export interface RescueStep {
  name: string
  ms: number
  /** What went wrong, where the step failed. */
  fault?: string
}

export interface RescueEntry {
  n: number
  cause: RescueCause
  from: string | null
  /** Null when it ended parked. */
  to: string | null
  wall: Pick<Wall, 'kind' | 'scope' | 'resetsAt' | 'evidence'> | null
  startedAt: string
  endedAt: string | null
  steps: RescueStep[]
  /** What came of it, in a few words; why this account was taken. */
  result: string | null
}

/** What `outpool show --json` prints. */
export interface SessionDetails extends SessionView {
  /** Why it is where it is: what spoke for this account, and what against the one asked for. Parked: what it waits for. */
  why: string | null
  tmuxSocket: string | null
  /** The agent's own process, not a wrapper's. */
  pid: number | null
  /** The file that is written now: on a substrate the fork's. */
  transcript: string | null
  /** The fork's conversation while the session is on a substrate, or null. */
  fork: string | null
  /** Forks of earlier stays of which its own conversation may not know yet, oldest first. */
  untoldForks: string[]
  /** What it wants, in order: `model` is what it has. Empty: the agent's default. */
  models: string[]
  /** Substrates that will do where no account is able, in order; null: all that are configured. */
  fallback: string[] | null
  /** The account that it waits for, whatever else is able; null where any will do. */
  pinnedTo: string | null
  /** Lower numbers go first where not all can be served. */
  priority: number
  /** When a wake-up comes that an earlier process of it had planned, or null. */
  nextWakeUp?: string | null
  /** Since when it is on its account or substrate. */
  since: string | null
  startedAt: string
  rescueLog: RescueEntry[]
}
