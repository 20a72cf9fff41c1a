/** What a new process is told of tasks that ended with the one before. */
import { dirname } from 'node:path'
import type { AgentAdapter } from '../../agents/agent.js'
import type { LaunchRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'
import { lostTasksText } from './backgroundTexts.js'

/**
 * Null where nothing is lost. What subagents remember comes along: `left` is the transcript of the process before, `own` the
 * one that the new process goes on with.
 */
export async function describeLostTasks(
  host: Host,
  adapter: AgentAdapter,
  { session }: LaunchRequest,
  previousTranscript: string | null,
  transcript: string | null,
): Promise<string | null> {
  const lost = host.backgroundWork.lost(session)
  const subagents = lost.flatMap(({ id, kind }) => (kind === 'subagent' ? [id] : []))
  if (previousTranscript === null || transcript === null || subagents.length === 0)
    return lostTasksText(lost, [])
  try {
    return lostTasksText(lost, await adapter.copySubagents(previousTranscript, transcript, subagents))
  } catch (error) {
    // They are told as lost; the session itself goes on.
    console.error(`outpool: subagents of ${session} could not be brought to ${dirname(transcript)}:`, error)
    return lostTasksText(lost, [])
  }
}

const replacedText = 'The program that you ran in has been replaced while you were at rest.'

/** Said with what the process is told to go on; a person's own first prompt is left as it is. */
export function withLostTasks(
  prompt: string | null,
  continuePrompt: string | null,
  lostTasksText: string | null,
): string | null {
  if (lostTasksText === null) return prompt
  if (prompt === null) return `${replacedText} ${lostTasksText}`
  return prompt === continuePrompt ? `${prompt} ${lostTasksText}` : prompt
}
