/** The agent programs that Outpool knows. */
import type { AgentAdapter } from './agent.js'
import { claudeCode } from './claude-code/index.js'
import { UnknownAgentError } from './errors.js'

const adapters: ReadonlyMap<string, AgentAdapter> = new Map([[claudeCode.name, claudeCode]])

export const agentNames: readonly string[] = [...adapters.keys()]

/** Throws UnknownAgentError for a name that has no adapter. */
export function agentNamed(name: string): AgentAdapter {
  const adapter = adapters.get(name)
  if (adapter === undefined) throw new UnknownAgentError(name, agentNames)
  return adapter
}
