/** Texts for an agent about what ended with the process before: background tasks and planned wake-ups. */
import type { RunningTask, ScheduledPrompt } from '../../policy/session/backgroundTasks.js'

const named = 5
const whatMax = 80

const kinds: Readonly<Record<RunningTask['kind'], string>> = {
  shell: 'the shell command',
  subagent: 'the subagent',
  other: 'the task',
}

/**
 * The text about tasks that ended with the process before, or null for none. It is one line, and so short that no program folds
 * it away. `resumable`: ids of the subagents that go on when they get a message.
 */
export function lostTasksText(tasks: readonly RunningTask[], resumable: readonly string[]): string | null {
  if (tasks.length === 0) return null
  const listed = tasks.slice(0, named).map(({ id, kind, what }) => {
    const goesOn = resumable.includes(id)
      ? `, which goes on where it was when you send it a message (${id})`
      : ''
    return `${kinds[kind]} "${what.slice(0, whatMax)}"${goesOn}`
  })
  const rest = tasks.length - listed.length
  const list = [...listed, ...(rest > 0 ? [`${rest} more`] : [])].join('; ')
  const [were, them] = tasks.length === 1 ? ['This was', 'it was'] : ['These were', 'they were']
  return `${were} running in the background and ended with the program before ${them} done: ${list}. Start again what is still needed.`
}

/** Takes the place of a wake-up whose process has ended. Begins with a word, so that no program takes it for a command. */
export function wakeUpText({ dueAt, prompt }: Pick<ScheduledPrompt, 'dueAt' | 'prompt'>): string {
  const due = dueAt === null ? '' : ` for ${dueAt.slice(0, 16).replace('T', ' ')} UTC`
  return `This is the wake-up that you planned${due}; the program that would have sent it has been replaced since then. You planned this prompt: ${prompt.trim()}`
}
