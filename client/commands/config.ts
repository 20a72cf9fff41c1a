/** `outpool config check|show|path` */
import type { Config } from '../../config/config.js'
import { ConfigError } from '../../config/errors.js'
import { effectiveConfig, formatConfig } from '../../config/load/effective.js'
import { type ConfigLocation, locateConfig } from '../../config/load/find.js'
import { loadConfig, parseConfig } from '../../config/load/load.js'
import { readConfigText } from '../../config/load/text.js'
import { describeUntrusted, type UntrustedFolders } from '../../config/state/untrustedFolders.js'
import { counted } from '../../policy/formatCount.js'
import { formatList } from '../../policy/formatList.js'
import { type CommandContext, print, printJson, printNotice } from '../commandContext.js'
import { type Use, useOf } from '../configuration/configInUse.js'
import { FailedError } from '../errors.js'
import { readUntrusted } from '../configuration/untrustedFolders.js'

export async function config(context: CommandContext): Promise<void> {
  const located = locateConfig({ path: context.config })
  switch (context.argument(0, 'check, show or path')) {
    case 'check':
      await check(context, located)
      break
    case 'show':
      show(context, located)
      break
    case 'path':
      if (context.json) printJson({ file: located.file, by: located.by })
      else print(located.file)
      if (!context.json) printNotice(`named by ${namedBy[located.by]}`)
  }
}

const namedBy: Readonly<Record<ConfigLocation['by'], string>> = {
  '--config': '--config',
  OUTPOOL_CONFIG: 'OUTPOOL_CONFIG',
  'running-worker': 'the worker that runs: it uses this file',
  user: "the user's config folder",
  folder: 'the current folder: you trust this file as it is now',
}

/**
 * Throws ConfigError with every issue, and FailedError if the running worker keeps an older text, or if an agent would be refused in the
 * folder of its task or wake-up.
 */
async function check(context: CommandContext, { file, byContent }: ConfigLocation): Promise<void> {
  const { json } = context
  let read: Config
  try {
    read = loadConfig({ path: file, byContent })
  } catch (error) {
    if (json && error instanceof ConfigError) printJson({ file, issues: error.issues, worker: null })
    throw error
  }
  const use = useOf(read)
  const untrusted = await untrustedOf(context, read)
  if (json) printJson({ file, issues: [], worker: use, untrusted })
  else print(`${file}: valid, with ${contents(read)}`)
  if (use.kind === 'kept')
    throw new FailedError(
      `the running worker keeps an older text of it in use: ${use.why}`,
      'change what keeps it; the worker then takes the file over by itself',
    )
  const [first] = untrusted
  if (first !== undefined)
    throw new FailedError(
      untrusted.map(describeUntrusted).join('\n'),
      `look at them, then run: outpool trust ${first.cwd}`,
    )
  if (!json) printNotice(useText(use))
}

/** Most configurations let no agent work in a folder that they name; then there is nothing to ask. */
const untrustedOf = async (context: CommandContext, { tasks, services }: Config): Promise<UntrustedFolders> =>
  tasks.some(({ kind }) => kind === 'agent') || services.some(({ wakeUp }) => wakeUp !== null)
    ? readUntrusted(context, null)
    : []

const contents = ({ pool, reserved, substrates, tasks, services }: Config): string =>
  formatList([
    counted(pool.accounts.length, 'account'),
    counted(reserved.length, 'reserved account'),
    counted(substrates.length, 'substrate'),
    counted(tasks.length, 'task'),
    counted(services.length, 'service'),
  ])

function useText(use: Exclude<Use, { kind: 'kept' }>): string {
  switch (use.kind) {
    case 'no-worker':
      return 'no worker runs; it is used from the next `outpool up` on'
    case 'in-use':
      return 'the running worker uses it'
    case 'pending':
      return 'the running worker is about to take it over'
    case 'other-file':
      return `the running worker uses another file: ${use.file}`
  }
}

function show({ json }: CommandContext, { file }: ConfigLocation): void {
  const text = readConfigText(file)
  parseConfig(text, file)
  const effective = effectiveConfig(text)
  if (json) printJson(effective)
  else print(`# ${file}, with every default\n${formatConfig(effective)}`)
}
