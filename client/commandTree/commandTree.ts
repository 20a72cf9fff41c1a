/**
 * Every command with its arguments and options: help, parsing, completion and the manual page derive from it. The files beside this one
 * declare the commands, one file for each heading of `--help`. A command's code is loaded when it is called.
 */
import type { CommandSpec, DeclaredCommand } from './commandSpec.js'
import { accounts } from './accounts.js'
import { controlSessions } from './controlSessions.js'
import { setUp } from './setUp.js'
import { tasksAndServices } from './tasksAndServices.js'
import { workWithSessions } from './workWithSessions.js'

/** Declared here because its script is made from the whole tree. */
const completion: DeclaredCommand = {
  name: 'completion',
  description: 'print the completion script of a shell',
  withoutConfig: true,
  args: [{ name: '<shell>', description: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] }],
  examples: [
    'source <(outpool completion bash)',
    'outpool completion fish > ~/.config/fish/completions/outpool.fish',
  ],
  run: async (context) => (await import('../commands/completion.js')).completion(context, commandTree),
}

/** Under these headings `--help` lists the commands, in this order; the README has the same. */
const groups: Readonly<Record<string, readonly DeclaredCommand[]>> = {
  'Set up': [...setUp, completion],
  'Work with sessions': workWithSessions,
  'Control sessions': controlSessions,
  Accounts: accounts,
  'Tasks and services': tasksAndServices,
}

export const commandTree: readonly CommandSpec[] = Object.entries(groups).flatMap(([group, commands]) =>
  commands.map((command) => ({ ...command, group })),
)
