/** What takes over a process of Claude Code that a person started. */
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { AgentAdopter } from '../../adapter/adopter.js'
import { resolveRealPath } from '../paths.js'
import { offsetSince, readFacts } from './facts.js'
import { carryStart, programOf, publicArguments } from './options.js'
import { identify } from './process.js'
import { readShownDraft } from './shownDraft.js'
import { lostVariables } from './variables.js'

export const claudeCodeAdopter: AgentAdopter = {
  identify,
  carryStart,
  publicArguments,
  lostVariables,
  readFacts,
  offsetSince,
  readShownDraft,
  resumeCommand: (argv, { sessionId, model, args }) => [
    ...programOf(argv),
    ...['--resume', sessionId],
    ...(model === null ? [] : ['--model', model]),
    ...args,
  ],
  selectConfigDir: (configDir) =>
    resolveRealPath(join(homeFolder(), '.claude')) === configDir ? [] : [`CLAUDE_CONFIG_DIR=${configDir}`],
  usualConfigDirs: () =>
    entriesOf(homeFolder())
      .filter((name) => name === '.claude' || name.startsWith('.claude-'))
      .map((name) => join(homeFolder(), name))
      .filter((folder) => existsSync(join(folder, 'projects')))
      .map(resolveRealPath),
}

const homeFolder = (): string => process.env['HOME'] ?? homedir()

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
