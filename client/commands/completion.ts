/** `outpool completion SHELL` */
import { type Call, print } from '../commandContext.js'
import { completionScript, shells } from '../completionScripts.js'
import { UsageError } from '../errors.js'

export function completion(call: Call): Promise<void> {
  const wanted = call.arg(0, 'SHELL')
  const shell = shells.find((known) => known === wanted)
  if (shell === undefined)
    throw new UsageError(`there is no completion for ${wanted}`, `known: ${shells.join(', ')}`)
  print(completionScript(shell))
  return Promise.resolve()
}
