/** What describes a command: its arguments, its options, and the heading under which help lists it. */
import { type HostFlag, commonFlags } from '../../config/hostPrograms.js'
import type { CommandContext } from '../commandContext.js'

/** What a word is completed with: names of a kind, files or folders by the shell, or nothing. */
export type CompletionKind = 'session' | 'service' | 'task' | 'account' | 'agent' | 'folder' | 'file' | 'none'

export interface OptionSpec {
  /** As commander reads it: `--cwd <dir>`. */
  flags: string
  description: string
  completion?: CompletionKind
}

export interface ArgumentSpec {
  /** As commander reads it: `<name>`, `[text...]`. */
  name: string
  description: string
  completion?: CompletionKind
  choices?: readonly string[]
}

/** Under these headings `--help` lists the commands, in this order; the README has the same. */
export const commandGroups = [
  'Set up',
  'Work with sessions',
  'Control sessions',
  'Accounts',
  'Tasks and services',
] as const
type CommandGroup = (typeof commandGroups)[number]

export interface CommandSpec {
  name: string
  group: CommandGroup
  description: string
  args?: readonly ArgumentSpec[]
  options?: readonly OptionSpec[]
  /** The command needs no outpool.yaml, or reports its errors itself. For all others a file that is named must exist. */
  withoutConfig?: true
  /** Shown below the help. */
  examples?: readonly string[]
  run(context: CommandContext): Promise<void>
}

export function optionOf({ name, value, description }: HostFlag): OptionSpec {
  if (value === null) return { flags: `--${name}`, description }
  return { flags: `--${name} ${value}`, description, completion: value === '<file>' ? 'file' : 'none' }
}

/** Options that every command takes. */
export const globalOptions: readonly OptionSpec[] = commonFlags.map(optionOf)
