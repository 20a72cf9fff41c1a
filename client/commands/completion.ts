/** `outpool completion SHELL` */
import { type CommandContext, print } from '../commandContext.js'
import type { CommandSpec } from '../commandTree/commandSpec.js'
import { completionScript, shells } from '../completion/scripts.js'
import { UsageError } from '../errors.js'

export function completion(context: CommandContext, commands: readonly CommandSpec[]): Promise<void> {
  const wanted = context.argument(0, 'SHELL')
  const shell = shells.find((known) => known === wanted)
  if (shell === undefined)
    throw new UsageError(`there is no completion for ${wanted}`, `known: ${shells.join(', ')}`)
  print(completionScript(shell, commands))
  return Promise.resolve()
}
