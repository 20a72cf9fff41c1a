/** `outpool trust PATH`: carried out in a process of the host, which knows the agent programs and their settings. */
import type { CommandContext } from '../commandContext.js'
import { runHostProgram } from './hostPrograms.js'

export const trust = (context: CommandContext): Promise<void> =>
  runHostProgram('trust', {
    option: (name) => (name === 'path' ? context.argument(0, 'PATH') : context.option(name)),
    flag: (name) => context.flag(name),
  })
