/** How an adapter observes its running program: by its reports, and by the state that it keeps of each process. */
import type { Window } from '../../policy/account/account.js'
import type { RunningTask, ScheduledPrompt } from '../../policy/session/backgroundTasks.js'
import type { Place } from './place.js'

/** A report of the program's hooks or status line, from a file in the report folder. */
export type AgentReport = { session: string; fence: number; at: string } & (
  | { kind: 'started'; sessionId: string; transcript: string; source: string }
  | { kind: 'turn-started' }
  /** With background tasks and plans, if the program reported them. */
  | { kind: 'turn-ended'; tasks?: RunningTask[]; plans?: ScheduledPrompt[] }
  | { kind: 'turn-failed'; error: string; subagent: boolean }
  | { kind: 'needs-person'; what: string }
  | { kind: 'ended'; reason: string }
  | { kind: 'quota'; windows: Window[] }
)

export type Activity = 'busy' | 'idle' | 'waiting' | 'shell'

/** What the program reports about one of its live processes. */
export interface LiveState {
  pid: number
  sessionId: string
  activity: Activity
  /** What it waits for, in the program's words. */
  waitingFor: string | null
  updatedAt: string
}

/** Selects processes; with both fields, both have to match. */
export interface LiveQuery {
  pids?: readonly number[]
  /** Only processes that hold this conversation. */
  sessionId?: string
}

export interface LivenessAdapter {
  /** Parses one file of the report folder; null if it is not a report of this program. */
  parseReport(fileName: string, body: string, at: string): AgentReport | null

  /**
   * What the program reports about its live processes at this place, or about the selected ones. Leaves out dead processes and
   * stale files. Cheap enough to be called for hundreds of processes every other second.
   */
  readLiveStates(place: Place, only?: LiveQuery): Promise<LiveState[]>
}
