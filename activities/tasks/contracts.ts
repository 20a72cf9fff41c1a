/** Shapes of the steps that do a task's work on its host. A task goes by its name: what it is stands in the host's own configuration. */
import type { TaskOutcome } from '../../policy/tasks/tasks.js'

interface TaskRef {
  task: string
}

/** What an agent task's session works from. */
export interface AgentTaskInput {
  /** A copy of the prompt as it is now, so that a rescue in the middle says the same again. */
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
  /** Delivers unread mail, each once. */
  pollMail(request: TaskRef): Promise<TaskOutcome>
  prepareAgentTask(request: TaskRef): Promise<AgentTaskInput>
  /** Keeps the agent's last answer as the task's result. */
  saveAnswer(request: SaveAnswerRequest): Promise<TaskOutcome>
}
