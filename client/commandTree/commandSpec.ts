/** What describes a command: its arguments, its options, and the heading under which `--help` lists it. */
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

/** A command as it is declared, without its heading. */
export interface DeclaredCommand {
  name: string
  description: string
  args?: readonly ArgumentSpec[]
  options?: readonly OptionSpec[]
  /** The command needs no outpool.yaml, or reports its errors itself. For all others a file that is named must exist. */
  withoutConfig?: true
  /** Shown below the help. */
  examples?: readonly string[]
  run(context: CommandContext): Promise<void>
}

export interface CommandSpec extends DeclaredCommand {
  /** The heading under which `--help` lists it. */
  group: string
}

/** Of a command that prints a table. */
export const json: OptionSpec = { flags: '--json', description: 'print JSON instead of a table' }
/** Of a command about one session. */
export const session: ArgumentSpec = {
  name: '<name>',
  description: 'name of the session',
  completion: 'session',
}

export function optionOf({ name, value, description }: HostFlag): OptionSpec {
  if (value === null) return { flags: `--${name}`, description }
  return { flags: `--${name} ${value}`, description, completion: value === '<file>' ? 'file' : 'none' }
}

/** Options that every command takes. */
export const globalOptions: readonly OptionSpec[] = commonFlags.map(optionOf)
