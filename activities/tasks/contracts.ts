/** Shapes of the activities that carry out tasks. A task is passed by its name; its host's configuration defines it. */
import type { TaskOutcome } from '../../policy/tasks/tasks.js'

interface TaskRef {
  task: string
}

/** The input of an agent task's session. */
export interface AgentTaskInput {
  /** A copy of the prompt, so that a rescue during the task uses the same text. */
  promptFile: string
  /** Real, absolute path. */
  cwd: string
}

export interface SaveAnswerRequest extends TaskRef {
  agent: string
  transcript: string | null
}

export interface TaskActivities {
  /** Runs the task's program to its end. */
  runProgram(request: TaskRef): Promise<TaskOutcome>
  /** Delivers each unread mail once. */
  pollMail(request: TaskRef): Promise<TaskOutcome>
  prepareAgentTask(request: TaskRef): Promise<AgentTaskInput>
  /** Keeps the agent's last answer as the task's result. */
  saveAnswer(request: SaveAnswerRequest): Promise<TaskOutcome>
}
