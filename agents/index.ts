/** The agent programs that Outpool knows. */
import type { AgentAdopter } from './adapter/adopter.js'
import type { AgentAdapter } from './adapter/adapter.js'
import { claudeCodeAdopter } from './claude-code/adoption/index.js'
import { claudeCode } from './claude-code/index.js'
import { claudeCodeExaminer } from './claude-code/setup/examine.js'
import { UnknownAgentError } from './errors.js'
import type { AgentExaminer } from './adapter/examiner.js'

const adapters: ReadonlyMap<string, AgentAdapter> = new Map([[claudeCode.name, claudeCode]])

const agentNames: readonly string[] = [...adapters.keys()]

/** Throws UnknownAgentError for a name that has no adapter. */
export function agentNamed(name: string): AgentAdapter {
  const adapter = adapters.get(name)
  if (adapter === undefined) throw new UnknownAgentError(name, agentNames)
  return adapter
}

const examiners: ReadonlyMap<string, AgentExaminer> = new Map([[claudeCode.name, claudeCodeExaminer]])

/** Null for a program that has none. */
export const examinerOf = (agent: string): AgentExaminer | null => examiners.get(agent) ?? null

const adopters: ReadonlyMap<string, AgentAdopter> = new Map([[claudeCode.name, claudeCodeAdopter]])

/** Null for a program whose running processes can't be taken over. */
export const adopterOf = (agent: string): AgentAdopter | null => adopters.get(agent) ?? null
