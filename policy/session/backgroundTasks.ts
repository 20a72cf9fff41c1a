/** Work that runs in an agent's process beside its turns, and what it means for a planned move. */
import { toMs } from '../instants.js'

/** `what` is one line in the agent's own words, without the command that runs. */
export interface RunningTask {
  id: string
  kind: 'shell' | 'subagent' | 'other'
  what: string
}

/** A prompt that an agent has scheduled for itself. */
export interface ScheduledPrompt {
  id: string
  /** Null if its schedule never comes due. */
  dueAt: string | null
  /** The agent program restores recurring plans by itself when it resumes a conversation. */
  recurring: boolean
  prompt: string
}

/** A plan with the instant from which on it may have been carried out or replaced. */
export interface RecordedPrompt extends ScheduledPrompt {
  madeAt: string
}

/** Work that a process began beside its turns and did not end. */
export interface UnfinishedWork {
  tasks: RunningTask[]
  /** Ids of tasks whose end the model knows of. */
  over: string[]
  plans: RecordedPrompt[]
}

/** The last report of a process at the end of a turn. */
export interface RestReport {
  /** Whether no turn has begun since. */
  isAtRest: boolean
  tasks: readonly RunningTask[]
}

export interface RestState {
  isAtRest: boolean
  /** Only those that run while no turn does. */
  tasks: RunningTask[]
}

/**
 * Some programs report `busy` while a subagent works in the background. `activity` is newer than `report`: tasks of the report
 * that it contradicts have ended.
 */
export function restStateOf(activity: 'busy' | 'idle' | 'shell', report: RestReport): RestState {
  const shells = report.tasks.filter(({ kind }) => kind === 'shell')
  const subagents = report.tasks.filter(({ kind }) => kind === 'subagent')
  const others = report.tasks.filter(({ kind }) => kind === 'other')
  switch (activity) {
    case 'idle':
      return { isAtRest: true, tasks: others }
    case 'shell':
      return { isAtRest: true, tasks: [...(shells.length > 0 ? shells : [unnamedShell]), ...others] }
    case 'busy': {
      const isAtRest = report.isAtRest && subagents.length > 0
      return { isAtRest, tasks: isAtRest ? [...report.tasks] : [] }
    }
  }
}

const unnamedShell: RunningTask = { id: '', kind: 'shell', what: 'a shell command' }

/** Whether a planned move that was first due at `dueSince` still waits for background tasks. */
export const isWaitingForTasks = (
  tasks: readonly RunningTask[],
  dueSince: string,
  backgroundWaitMax: number,
  now: string,
): boolean => tasks.length > 0 && toMs(now) - toMs(dueSince) < backgroundWaitMax
