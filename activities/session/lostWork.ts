/** What a new process is told of tasks that ended with the one before. */
import { dirname } from 'node:path'
import type { AgentAdapter } from '../../agents/agent.js'
import { lostTasks } from '../../policy/session/background.js'
import type { LaunchRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'

/**
 * Null where nothing is lost. What subagents remember comes along: `left` is the transcript of the process before, `own` the
 * one that the new process goes on with.
 */
export async function lostTo(
  host: Host,
  adapter: AgentAdapter,
  { session }: LaunchRequest,
  left: string | null,
  own: string | null,
): Promise<string | null> {
  const lost = host.work.lost(session)
  const subagents = lost.flatMap(({ id, kind }) => (kind === 'subagent' ? [id] : []))
  if (left === null || own === null || subagents.length === 0) return lostTasks(lost, [])
  try {
    return lostTasks(lost, await adapter.copySubagents(left, own, subagents))
  } catch (error) {
    // They are told as lost; the session itself goes on.
    console.error(`outpool: subagents of ${session} could not be brought to ${dirname(own)}:`, error)
    return lostTasks(lost, [])
  }
}

const replaced = 'The program that you ran in has been replaced while you were at rest.'

/** Said with what the process is told to go on; a person's own first prompt is left as it is. */
export function withLost(prompt: string | null, goOn: string | null, lost: string | null): string | null {
  if (lost === null) return prompt
  if (prompt === null) return `${replaced} ${lost}`
  return prompt === goOn ? `${prompt} ${lost}` : prompt
}
