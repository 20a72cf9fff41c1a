/** Work that lives in an agent's process beside its turns: what it means for a planned move, and what is said of it. */
import { ms } from '../instants.js'

/** `what` is one line in the agent's own words, without the command that runs. */
export interface RunningTask {
  id: string
  kind: 'shell' | 'subagent' | 'other'
  what: string
}

/** What an agent means to say to itself later. */
export interface ScheduledPrompt {
  id: string
  /** Null where its schedule never comes. */
  dueAt: string | null
  /** The agent's program brings recurring plans back by itself when it resumes a conversation. */
  recurring: boolean
  prompt: string
}

/** A plan with the instant from which on it may have been carried out or replaced. */
export interface RecordedPrompt extends ScheduledPrompt {
  madeAt: string
}

/** What a process began beside its turns and did not end. */
export interface UnfinishedWork {
  tasks: RunningTask[]
  /** Ids of tasks that are over, and of which the model knows. */
  over: string[]
  plans: RecordedPrompt[]
}

/** What a process last said of itself at the end of a turn. */
export interface RestReport {
  /** No turn has begun since. */
  isAtRest: boolean
  tasks: readonly RunningTask[]
}

export interface RestState {
  isAtRest: boolean
  /** Only those that run while no turn does. */
  tasks: RunningTask[]
}

/**
 * Some programs call themselves busy while a subagent works in the background. `activity` is the newer word: it ends what was
 * running at the last turn's end.
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

/** Whether a planned move, first due at `dueSince`, still waits for what runs in the background. */
export const isWaitingForTasks = (
  tasks: readonly RunningTask[],
  dueSince: string,
  backgroundWait: number,
  now: string,
): boolean => tasks.length > 0 && ms(now) - ms(dueSince) < backgroundWait

/** `1 task in the background`; null for none. */
export function backgroundTasksText(tasks: number): string | null {
  if (tasks === 0) return null
  return `${tasks} ${tasks === 1 ? 'task' : 'tasks'} in the background`
}

const named = 5
const whatMax = 80

const kinds: Readonly<Record<RunningTask['kind'], string>> = {
  shell: 'the shell command',
  subagent: 'the subagent',
  other: 'the task',
}

/**
 * What the next process is told of tasks that ended with the one before; null for none. One line, as short as a prompt that no
 * program folds away.
 */
export function lostTasksText(tasks: readonly RunningTask[], resumable: readonly string[]): string | null {
  if (tasks.length === 0) return null
  const told = tasks.slice(0, named).map(({ id, kind, what }) => {
    const goesOn = resumable.includes(id)
      ? `, which goes on where it was when you send it a message (${id})`
      : ''
    return `${kinds[kind]} "${what.slice(0, whatMax)}"${goesOn}`
  })
  const rest = tasks.length - told.length
  const list = [...told, ...(rest > 0 ? [`${rest} more`] : [])].join('; ')
  const [were, them] = tasks.length === 1 ? ['This was', 'it was'] : ['These were', 'they were']
  return `${were} running in the background and ended with the program before ${them} done: ${list}. Start again what is still needed.`
}

/** What is said in place of a wake-up whose process is gone. Begins with a word: no program takes it for a command. */
export function wakeUpText({ dueAt, prompt }: Pick<ScheduledPrompt, 'dueAt' | 'prompt'>): string {
  const due = dueAt === null ? '' : ` for ${dueAt.slice(0, 16).replace('T', ' ')} UTC`
  return `This is the wake-up that you planned${due}; the program that was to say it has been replaced since. You planned to be told: ${prompt.trim()}`
}
