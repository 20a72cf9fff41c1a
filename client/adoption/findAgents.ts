/** Asks the host for the agents that Outpool does not keep. */
import { foundSchema, type Found } from '../../config/state/foundAgents.js'
import { parseJsonAs } from '../../policy/parseJson.js'
import type { CommandContext } from '../commandContext.js'
import { readHostProgram } from '../commands/hostPrograms.js'
import { FailedError } from '../errors.js'

/** `conversation`: also look for this one among stopped conversations. Null if the program failed, and has said why. */
export async function findAgents(
  context: CommandContext,
  conversation: string | null = null,
): Promise<Found | null> {
  const output = await readHostProgram('agents', {
    option: (name) => (name === 'conversation' ? conversation : context.option(name)),
    flag: (name) => context.flag(name),
  })
  if (output === null) return null
  const found = parseJsonAs(output, foundSchema)
  if (found === null)
    throw new FailedError(
      'the list of agents can not be read: command and worker are of different versions',
      'install Outpool again',
    )
  return found
}
