/** Both ends of an agent task: the prompt with which its session begins, and its last answer. */
import { realpathSync } from 'node:fs'
import { readRegular } from '../../agents/files.js'
import { withoutSecrets } from '../../config/secrets/known.js'
import { failedOutcome, type TaskOutcome } from '../../policy/tasks/tasks.js'
import { FileRefusedError } from '../../host/errors.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import type { AgentTaskInput, SaveAnswerRequest } from './contracts.js'
import { TaskFolder, taskOf } from '../../host/state/taskFolder.js'
import { PromptMissingError, WorkFolderMissingError } from '../errors.js'

/** Throws PromptMissing, FileRefused, WorkFolderMissing. */
export async function prepareAgentTask(host: Host, task: string): Promise<AgentTaskInput> {
  const { prompt, cwd } = taskOf(host, task, 'agent')
  const text = typeof prompt === 'string' ? prompt : await readPrompt(host, prompt.file)
  const promptFile = new TaskFolder(host, task).path('prompt.md')
  writeFileAtomic(promptFile, text)
  try {
    return { promptFile, cwd: realpathSync.native(cwd) }
  } catch {
    throw new WorkFolderMissingError(cwd)
  }
}

async function readPrompt(host: Host, file: string): Promise<string> {
  const problem = host.fileProblem(file)
  if (problem !== null) throw new FileRefusedError(problem)
  const text = await readRegular(file).catch(() => '')
  if (text.trim() === '') throw new PromptMissingError(file)
  return text
}

export async function saveAnswer(host: Host, request: SaveAnswerRequest): Promise<TaskOutcome> {
  const { task, agent, transcript } = request
  const answer = transcript === null ? null : await host.adapter(agent).readLastAnswer(transcript, 0)
  if (answer === null) return failedOutcome('the agent ended without an answer')
  const { keep } = taskOf(host, task, 'agent')
  const file = new TaskFolder(host, task).saveResult(`${withoutSecrets(answer.text)}\n`, 'md', keep)
  return { ok: true, error: null, summary: `answered in ${answer.text.length} characters`, file }
}
