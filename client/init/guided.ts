/** `outpool init` on a terminal: the questions, the file, and then what a person would do next, each only if they say so. */
import { spawnSync } from 'node:child_process'
import type { Config } from '../../config/config.js'
import { readConfigInUse } from '../../config/state/configInUse.js'
import { findAgents } from '../adoption/findAgents.js'
import { CommandContext } from '../commandContext.js'
import { runHostProgram } from '../commands/hostPrograms.js'
import { FailedError } from '../errors.js'
import type { FoundLogin } from './findLogins.js'
import { type Choices, keyNames } from './choices.js'
import { askChoices, askYes, end, say, warn } from './guide.js'
import { completionSetUp, setUpCompletion } from './shellCompletion.js'

interface Guided {
  file: string
  home: string
  logins: readonly FoundLogin[]
  /** What the file has already, or null if there is none. */
  config: Config | null
  /** Writes what was chosen, and returns the names of what was added. */
  write: (choices: Choices) => string[]
}

/** Throws FailedError if the person ends the questions. */
export async function guide(
  context: CommandContext,
  { file, home, logins, config, write }: Guided,
): Promise<void> {
  const choices = await askChoices({
    ...{ logins, home, keys: keyNames(process.env) },
    has: {
      accounts: config !== null,
      reserved: (config?.reserved.length ?? 0) > 0,
      substrates: (config?.substrates.length ?? 0) > 0,
    },
  })
  const added = write(choices)
  if (added.length === 0) say(`${file} is as it was`)
  else say(`${config === null ? 'wrote' : 'changed'} ${file}: ${added.join(', ')}`)

  const named = new CommandContext([], { config: file })
  const isInstalled = await offerService(named)
  await offerCompletion(home)
  const toAdopt = await offerAdoption(named)
  say('outpool doctor says:')
  await runHostProgram('doctor', named)
  const isWell = process.exitCode === 0
  // What was asked for is done, whatever the doctor has found.
  process.exitCode = 0
  const lines = [
    ...(isInstalled || readConfigInUse() !== null ? [] : ['outpool up                 # leave it running']),
    'outpool start docs --cwd ~/docs -- "Bring the guide up to date"',
    'outpool ls',
    ...toAdopt,
    ...(context.config === undefined ? [] : [`export OUTPOOL_CONFIG=${file}   # for every command`]),
  ]
  end(lines, isWell)
}

/** Whether Outpool runs as a service now. */
async function offerService(named: CommandContext): Promise<boolean> {
  if (readConfigInUse() !== null) return false
  // Fails without systemd, and where it has no manager for this user.
  if (spawnSync('systemctl', ['--user', 'show-environment'], { stdio: 'ignore' }).status !== 0) return false
  if (!(await askYes('Install Outpool as a service of your user, which starts it now and after each login?')))
    return false
  const { service } = await import('../commands/service.js')
  return isDone(() => service(new CommandContext(['install'], { config: named.config })))
}

/** Says what could not be done, and why. The file is written by then, so that the other offers still make sense. */
async function isDone(offered: () => Promise<void>): Promise<boolean> {
  try {
    await offered()
    return true
  } catch (error) {
    if (!(error instanceof FailedError)) throw error
    warn([error.message, ...(error.remedy === null ? [] : [error.remedy])].join('\n'))
    return false
  }
}

async function offerCompletion(home: string): Promise<void> {
  const setUp = completionSetUp(process.env, home)
  if (setUp === null || setUp.isThere) return
  if (!(await askYes(`Let your shell complete commands and names? It adds a line to ${setUp.file}`))) return
  setUpCompletion(setUp)
  say(`added to ${setUp.file}: ${setUp.line}`)
}

/** The line to type for agents that are still to be adopted; none if there are none. They are taken over only while a worker runs. */
async function offerAdoption(named: CommandContext): Promise<string[]> {
  const found = await findAgents(named)
  const able = found?.agents.filter(({ refusal }) => refusal === null).length ?? 0
  if (able === 0) return []
  const what = able === 1 ? 'one agent that you started' : `${able} agents that you started`
  const later = [`outpool adopt --all        # ${what}, at the end of its turn`]
  if (readConfigInUse() === null) return later
  if (!(await askYes(`Adopt ${what} on this host, at the next turn end?`))) return later
  const { adopt } = await import('../commands/adopt.js')
  const isAdopted = await isDone(() => adopt(new CommandContext([], { config: named.config, all: true })))
  return isAdopted ? [] : later
}
