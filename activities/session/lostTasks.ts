/** The text that tells a new process which background tasks ended with the previous one. */
import { dirname } from 'node:path'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { LaunchRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'
import { lostTasksText } from './backgroundTexts.js'
import { log } from '../../host/log.js'

/**
 * Null if none was lost. Copies the transcripts of subagents from the transcript of the previous process to that of the new one,
 * so that they can be continued.
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
    // The subagents count as lost; the session itself continues.
    log.error(
      { err: error },
      `the subagents of session ${session} could not be copied to ${dirname(transcript)}`,
    )
    return lostTasksText(lost, [])
  }
}

const replacedText = 'The program that you ran in has been replaced while you were at rest.'

/** Adds the text about lost tasks to the continuation; a person's own first prompt stays as it is. */
export function withLostTasks(
  prompt: string | null,
  continuePrompt: string | null,
  lost: string | null,
): string | null {
  if (lost === null) return prompt
  if (prompt === null) return `${replacedText} ${lost}`
  return prompt === continuePrompt ? `${prompt} ${lost}` : prompt
}
