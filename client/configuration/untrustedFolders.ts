/** Asks the host which folders have settings that would make an agent do what no person has trusted. */
import type { Home } from '../../config/state/home.js'
import { untrustedSchema, type UntrustedFolders } from '../../config/state/untrustedFolders.js'
import { parseJsonAs } from '../../policy/parseJson.js'
import type { CommandContext } from '../commandContext.js'
import { readHostProgram } from '../commands/hostPrograms.js'
import { FailedError } from '../errors.js'
import { askWorker } from '../localSocket/askWorker.js'

/** As `readUntrusted` for one folder. The worker of this host is asked first, which spares a process. */
export async function readUntrustedFolder(
  context: CommandContext,
  { home, folder }: { home: Home; folder: string },
): Promise<UntrustedFolders> {
  const answer = await askWorker(home, 'untrusted', { folder })
  return answer?.untrusted ?? readUntrusted(context, folder)
}

/** `folder`: null for those of the configuration's tasks and wake-ups. Throws FailedError if the host can't tell. */
export async function readUntrusted(
  context: CommandContext,
  folder: string | null,
): Promise<UntrustedFolders> {
  const output = await readHostProgram('untrusted', {
    option: (name) => (name === 'path' ? folder : context.option(name)),
    flag: (name) => context.flag(name),
  })
  const found = output === null ? null : parseJsonAs(output, untrustedSchema)
  if (found === null)
    throw new FailedError(
      'the settings of the project could not be checked',
      'see the reason above; if there is none, install Outpool again',
    )
  return found
}
